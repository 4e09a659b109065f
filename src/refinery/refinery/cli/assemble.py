"""``refinery assemble``: a run of the cell's sequence, new or gone on with, step by step on the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from refinery.bringup.node_names import ASSEMBLY
from refinery.cli.action_goal import GoalArgs, GoalRun

LONGEST_S = 24 * 3600.0
"""A run may wait for an operator; the node keeps results for so long, [s]."""


@dataclass(frozen=True, kw_only=True)
class AssembleArgs(GoalArgs):
    """Assemble the sequence that the cell was started with. Ctrl-C cancels: the part stays held or seated."""

    sequence: tyro.conf.Positional[str] = ""
    """Sequence, its name or its SHA-256, to be sure; empty: the loaded one."""
    resume: str = ""
    """Run to go on with, by its name in the journal, or to follow where it is in progress; empty: a new one."""
    seed: int = -1
    """Of every random choice of a new run; negative: a fresh one."""


def main(argv: Sequence[str]) -> int:
    """Send one goal.

    Args:
        argv: Words after ``refinery assemble``.

    Returns:
        0 if every step is done, 1 if not, 130 if cancelled.

    Raises:
        NotReadyError: Nobody answers.
    """
    args = tyro.cli(AssembleArgs, args=list(argv), prog="refinery assemble")
    from refinery_msgs.action import Assemble
    from refinery_msgs.msg import Outcome

    goal = Assemble.Goal(sequence=args.sequence, run=args.resume, seed=args.seed)
    run = GoalRun(Assemble, "assemble", ASSEMBLY, args.namespace)
    result = run.run(goal, wait_s=args.wait_s, timeout_s=LONGEST_S, show=_progress)
    print(
        "\n".join([*map(_step, result.steps), result.outcome.message, f"run {result.run}, {result.duration_s:.0f} s"])
    )
    return 130 if run.cancelled else int(result.outcome.value != Outcome.SUCCESS)


def _progress(feedback: Any) -> str:
    left = "" if math.isnan(feedback.time_left_s) else f", about {feedback.time_left_s:.0f} s left"
    again = f" (attempt {feedback.attempt})" if feedback.attempt > 1 else ""
    where = f"step {feedback.step + 1} of {feedback.step_count}, {feedback.part}: {feedback.phase}{again}"
    return f"  run {feedback.run}: {100 * feedback.progress:3.0f} % {where}{left}"


def _step(step: Any) -> str:
    states = {step.PENDING: "pending", step.ACTIVE: "begun", step.DONE: "done", step.FAILED: "FAILED"}
    state = states.get(step.state, "skipped")
    tries = f", {step.attempts} insertions" if step.attempts != 1 else ""
    return f"{step.name:<16} {state:<8} {step.duration_s:5.1f} s{tries}"
