"""Grasps that come from outside: a field ``grasp`` of a request, checked before anything moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refinery.errors import RefineryError
from refinery.initial_state import GRASP, GRASP_NAMES, Array
from refinery.task import Task
from refinery.theta_units import shown_unit

_SLACK = 1e-9
"""Numbers outside the box by less than this are rounding, [m] or [rad]."""


def requested_grasp(values: Sequence[float], task: Task) -> Array:
    """Check the field ``grasp`` of a request.

    Args:
        values: Three numbers in the order of :data:`refinery.initial_state.GRASP_NAMES`, [m, m, rad], or none: held
            as intended.
        task: Its deployment box says which grasps there may be.

    Returns:
        The grasp, shape (1, 3).

    Raises:
        RefineryError: Not three finite numbers, or outside the box; the sentence names the field.
    """
    grasp = np.asarray(values, dtype=np.float64)
    if grasp.size == 0:
        return np.zeros((1, len(GRASP_NAMES)))
    if grasp.shape != (len(GRASP_NAMES),):
        names = ", ".join(GRASP_NAMES)
        raise RefineryError(f"grasp: expected {len(GRASP_NAMES)} numbers ({names}) or none, got {grasp.size}")
    if not np.all(np.isfinite(grasp)):
        raise RefineryError(f"grasp: expected finite numbers, got {grasp.tolist()}")
    box = task.initial_state.deployed
    for name, value, low, high in zip(GRASP_NAMES, grasp, box.low[GRASP], box.high[GRASP], strict=True):
        if not low - _SLACK <= value <= high + _SLACK:
            factor, unit = shown_unit(name)
            raise RefineryError(
                f"grasp: {name}: expected {low * factor:.1f} to {high * factor:.1f} {unit} "
                f"(where task {task.name!r} is deployed), got {value * factor:.1f} {unit}"
            )
    return grasp[None]
