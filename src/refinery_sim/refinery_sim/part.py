"""The shape of a task's held part, for the bundle: what the nodes need of it without a polygon library."""

from __future__ import annotations

from refinery.part import PartGeometry
from refinery.task import Task
from refinery_sim.pieces import task_pieces
from refinery_sim.section import corners_m, symmetry


def part_geometry(task: Task) -> PartGeometry:
    """Compute symmetry, convex hull and convex pieces of a task's plug.

    Raises:
        ConfigError: The plug's section makes no shape, or its length does not fit the hole's depth.
    """
    section = task.plug.section
    pieces = task_pieces(task)
    return PartGeometry(symmetry=symmetry(section), corners_m=corners_m(section), pieces=tuple(pieces))
