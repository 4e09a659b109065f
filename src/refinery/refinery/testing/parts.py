"""Shapes of held parts that need no polygon library, for tests of the core."""

from __future__ import annotations

import numpy as np

from refinery.errors import ConfigError
from refinery.part import PartGeometry
from refinery.piece import box
from refinery.task import Task


def plain_part(task: Task) -> PartGeometry:
    """Return the shape of a plug of rectangular or square section: one box.

    Raises:
        ConfigError: The section is another one.
    """
    section, half_length = task.plug.section, task.plug.length_m / 2
    if section.family not in ("rectangle", "square"):
        hint = "give refinery_sim.part.part_geometry(task)"
        raise ConfigError(f"task {task.name!r}", "plug.section.family", "rectangle or square", section.family, hint)
    x, y = section.size_m[0] / 2, section.size_m[-1] / 2
    return PartGeometry(
        symmetry=4 if x == y else 2,
        corners_m=np.array([[-x, -y], [x, -y], [x, y], [-x, y]]),
        pieces=(box(np.array([0.0, 0.0, half_length]), np.array([x, y, half_length]), np.eye(3)),),
    )
