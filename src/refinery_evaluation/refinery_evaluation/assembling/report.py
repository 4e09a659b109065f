"""The report of one assembly: what the node says of every step beside what is true of every part."""

from __future__ import annotations

from collections.abc import Mapping

from refinery.sequence.sequence import Sequence
from refinery_msgs.action import Assemble
from refinery_msgs.msg import AssemblyStep, PartState

_STATES = {
    AssemblyStep.PENDING: "pending",
    AssemblyStep.ACTIVE: "begun",
    AssemblyStep.DONE: "done",
    AssemblyStep.FAILED: "failed",
    AssemblyStep.SKIPPED: "skipped",
}


def report_text(
    sequence: Sequence, result: Assemble.Result, truth: Mapping[str, PartState], *, seed: int, seconds: float
) -> str:
    """Return the report as Markdown.

    Args:
        sequence: The sequence.
        result: Of the action.
        truth: Of every part, by name.
        seed: Of cell and run.
        seconds: All that it took, wall clock, [s].
    """
    seated = sum(part.seated for part in truth.values())
    rows = [_row(step, truth[step.part]) for step in result.steps]
    return "\n".join(
        [
            f"# {sequence.name}: {seated} of {len(sequence.steps)} parts seated",
            "",
            f"{sequence.description}.",
            f"Seed {seed}; {result.duration_s:.0f} s of the cell's time, {seconds:.0f} s in all.",
            f"The node says: {result.outcome.message}. From the column `seated` on it is the truth.",
            "",
            "| step | state | insertions | time [s] | depth [mm] | seated | depth [mm] | aside [mm] | turned [rad] |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(step: AssemblyStep, part: PartState) -> str:
    cells = (
        step.name,
        _STATES[step.state],
        step.attempts,
        f"{step.duration_s:.1f}",
        f"{1000 * step.depth_m:.2f}",
        "yes" if part.seated else "no",
        f"{1000 * part.depth_m:.2f}",
        f"{1000 * part.lateral_error_m:.2f}",
        f"{part.angle_error_rad:.3f}",
    )
    return f"| {' | '.join(map(str, cells))} |"
