"""``refinery place``: what ``ros2 action send_goal /place`` does, where there is no ros2 command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from refinery.bringup.node_names import SAMPLER
from refinery.cli.action_goal import GoalArgs, GoalRun
from refinery.config import check
from refinery.theta_units import shown_unit


@dataclass(frozen=True, kw_only=True)
class PlaceArgs(GoalArgs):
    """Sample an initial state and move the plug there; the goal of an empty command is the likeliest to succeed."""

    mode: str = "best"
    """best: the mixture's, ranked by predicted success; sample: drawn from the mixture; uniform: from the box."""
    seed: int = -1
    """Of the draw; negative: a fresh one."""
    task: str = ""
    """Task to sample for; empty: the loaded one."""
    max_duration_s: float = 20.0
    """The node gives up after this time, [s] of its clock."""

    def __post_init__(self) -> None:
        """Validate what does not fit into the goal; the node judges the rest."""
        super().__post_init__()
        check(self.max_duration_s > 0, "max_duration_s", "a positive time [s]", self.max_duration_s)


def main(argv: Sequence[str]) -> int:
    """Send one goal.

    Args:
        argv: Words after ``refinery place``.

    Returns:
        0 if the plug is placed, 1 if not, 130 if cancelled.

    Raises:
        NotReadyError: Nobody answers.
    """
    args = tyro.cli(PlaceArgs, args=list(argv), prog="refinery place")
    from refinery_msgs.action import Place
    from refinery_msgs.msg import Outcome

    goal = Place.Goal(mode=args.mode, seed=args.seed, task=args.task, max_duration_s=args.max_duration_s)
    run = GoalRun(Place, "place", SAMPLER, args.namespace)
    # A twin may run slower than the clock on the wall.
    result = run.run(goal, wait_s=args.wait_s, timeout_s=10 * args.max_duration_s, show=_progress)
    print(_said(result))
    return 130 if run.cancelled else int(result.outcome.value != Outcome.SUCCESS)


def _progress(feedback: Any) -> str:
    return f"  {feedback.phase} {100 * feedback.progress:.0f} %"


def _said(result: Any) -> str:
    """The outcome, where the plug is, and what was predicted."""
    lines = [result.outcome.message]
    if len(result.theta):
        named = [(name, value, *shown_unit(name)) for name, value in zip(result.theta_names, result.theta, strict=True)]
        lines.append("start: " + ", ".join(f"{n} {v * factor:.2f} {unit}" for n, v, factor, unit in named if v != 0))
        lines.append(
            f"predicted success {100 * result.success_probability:.1f} %; placed within "
            f"{1e3 * result.position_error_m:.2f} mm and {math.degrees(result.rotation_error_rad):.2f} deg"
        )
    return "\n".join(lines)
