"""``refinery insert``: what ``ros2 action send_goal /insert`` does, where there is no ros2 command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from refinery.bringup.node_names import POLICY
from refinery.cli.action_goal import GoalArgs, GoalRun


@dataclass(frozen=True, kw_only=True)
class InsertArgs(GoalArgs):
    """Run the policy from where the plug is, and say how it ended and why. Ctrl-C cancels: the arm holds."""

    task: str = ""
    """Task to run, to be sure; empty: the loaded one."""
    grasp: tuple[float, ...] = ()
    """How the part sits in the hand: grasp_x grasp_z [m] grasp_pitch [rad]; none: as intended."""
    timeout_s: float = 0.0
    """Give up after this time, [s]; 0: the task's episode length."""
    trial_id: int = 0
    """Freely chosen; written to the log, the recording and the status."""


LONGEST_S = 1200.0
"""The longest episode is a tenth of this; a twin may run slower than the clock on the wall, [s]."""


def main(argv: Sequence[str]) -> int:
    """Send one goal.

    Args:
        argv: Words after ``refinery insert``.

    Returns:
        0 if the plug is seated, 1 if not, 130 if cancelled.

    Raises:
        NotReadyError: Nobody answers.
    """
    args = tyro.cli(InsertArgs, args=list(argv), prog="refinery insert")
    from refinery_msgs.action import Insert
    from refinery_msgs.msg import Outcome

    goal = Insert.Goal(task=args.task, grasp=list(args.grasp), timeout_s=args.timeout_s, trial_id=args.trial_id)
    run = GoalRun(Insert, "insert", POLICY, args.namespace)
    result = run.run(goal, wait_s=args.wait_s, timeout_s=LONGEST_S, show=_progress)
    print(result.outcome.message)
    if result.ticks:
        print(_measured(result))
    return 130 if run.cancelled else int(result.outcome.value != Outcome.SUCCESS)


def _progress(feedback: Any) -> str:
    held = f", held: {feedback.guard.message}" if feedback.guard.value else ""
    where = f"depth {1e3 * feedback.depth_m:6.1f} mm, {1e3 * feedback.lateral_error_m:4.1f} mm off the axis"
    return f"  {feedback.elapsed_s:4.1f} s: {where}{held}"


def _measured(result: Any) -> str:
    return (
        f"depth {1e3 * result.depth_m:.1f} mm, {1e3 * result.lateral_error_m:.1f} mm off the axis, "
        f"{math.degrees(result.angle_error_rad):.1f} deg, {result.ticks} steps in {result.duration_s:.2f} s"
    )
