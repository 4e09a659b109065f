"""Choosing several good candidates that are not all the same one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def choose_diverse(unit: Array, order: NDArray[np.intp], count: int, distance: float) -> NDArray[np.intp]:
    """Choose greedily: the best first, then always the best that is far from all chosen.

    When too few are that far apart, the distance is halved and the rest is gone through again, at last without any.

    Args:
        unit: Candidates in unit-box coordinates, shape (B, D).
        order: Indices of the candidates that may be chosen, best first.
        count: How many to choose (fewer come back if ``order`` is shorter).
        distance: Least distance between chosen ones, in unit-box coordinates, shares of the box's edge.

    Returns:
        Indices in the order of choice.
    """
    chosen: list[int] = []
    # Distance of every candidate to the nearest chosen one; taken candidates are marked by -1.
    nearest = np.full(len(unit), np.inf)
    while len(chosen) < min(count, len(order)):
        for index in order:
            if nearest[index] > distance:
                chosen.append(int(index))
                np.minimum(nearest, np.linalg.norm(unit - unit[index], axis=1), out=nearest)
                nearest[index] = -1.0
                if len(chosen) == count:
                    break
        distance = distance / 2 if distance > 1e-3 else -0.5
    return np.asarray(chosen, dtype=np.intp)
