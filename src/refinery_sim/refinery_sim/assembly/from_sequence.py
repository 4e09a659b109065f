"""The parts and the base of a sequence, for the plant."""

from __future__ import annotations

from collections.abc import Mapping

from refinery.sequence.sequence import Sequence
from refinery.sequence.step import PART
from refinery.task import Task
from refinery_sim.assembly.parts import FixedBase, PartSpec, block_with_pockets
from refinery_sim.task import named_task


def assembly_of(sequence: Sequence, tasks: Mapping[str, Task] | None = None) -> tuple[list[PartSpec], FixedBase]:
    """Return what a sequence puts together.

    The seat of a part whose socket is stated in the arm's frame is taken relative to the base where that is clamped
    nominally.

    Args:
        sequence: The sequence.
        tasks: Tasks of its steps, by name; those in ``config/tasks`` if None.

    Raises:
        RefineryError: A step's task cannot be read.
    """
    seats = sequence.nominal_seats()
    parts = []
    for step in sequence.steps:
        on_part = step.socket.mode == PART
        parts.append(
            PartSpec(
                name=step.part,
                task=named_task(step.task) if tasks is None else tasks[step.task],
                tray=step.tray.pose(),
                seat=step.socket.pose() if on_part else seats[step.part],
                parent=step.socket.part if on_part and step.socket.part != sequence.base.part else "",
            )
        )
    pockets = [(pocket.centre_m, pocket.size_m, pocket.depth_m) for pocket in sequence.base.pockets]
    base = FixedBase(solids=block_with_pockets(sequence.base.size_m, pockets), pose=sequence.base.nominal_pose())
    return parts, base
