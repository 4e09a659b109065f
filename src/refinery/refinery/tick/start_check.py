"""Whether the arm stands where the policy was trained to start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.initial_state import GRASP_NAMES, THETA_NAMES
from refinery.task import Task
from refinery.theta_units import shown_unit

PLACEMENT_M = 0.003
"""How exactly the arm is placed at a start, [m]."""
PLACEMENT_RAD = 0.05
"""The same for its orientation, [rad]."""
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class StartTolerance:
    """How far outside the deployment box an insertion may start."""

    position_m: float
    """Along each axis, [m], >= 0."""
    angle_rad: float
    """About each axis, [rad], >= 0."""

    @classmethod
    def for_task(
        cls, task: Task, *, placement_m: float = PLACEMENT_M, placement_rad: float = PLACEMENT_RAD
    ) -> StartTolerance:
        """Return the tolerance that the task's noise calls for.

        The start was chosen from one noisy estimate and is judged by another, so that twice the jitter lies between
        them; the arm is placed within ``placement_m`` and ``placement_rad``.
        """
        return cls(position_m=placement_m + 2 * task.noise.estimate_jitter_m, angle_rad=placement_rad)


def check_start(theta: NDArray[np.float64], task: Task, tolerance: StartTolerance) -> str:
    """Compare a start with the deployment box.

    Args:
        theta: Plug in the estimated socket frame, and grasp, shape (1, 9).
        task: The task with its deployment box.
        tolerance: How far outside is accepted.

    Returns:
        An empty string, or what is outside by how much.
    """
    box = task.initial_state.deployed
    # The pose is measured, the grasp is what somebody says it is: there is nothing to tolerate but rounding.
    margin = np.array([tolerance.position_m] * 3 + [tolerance.angle_rad] * 3 + [_ROUNDING] * len(GRASP_NAMES))
    low, high, value = box.low - margin, box.high + margin, theta[0]
    problems = [
        f"{name} = {value[i] * scale:.1f} {unit}, expected {low[i] * scale:.1f} to {high[i] * scale:.1f} {unit}"
        for i, name in enumerate(THETA_NAMES)
        for scale, unit in [shown_unit(name)]
        if not low[i] <= value[i] <= high[i]
    ]
    return "the plug is not where insertions start: " + "; ".join(problems) if problems else ""
