"""Chooses several good candidates that differ from each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array


def choose_diverse(unit: Array, order: NDArray[np.intp], count: int, distance: float) -> NDArray[np.intp]:
    """Choose greedily: the best candidate, then repeatedly the best one that is far from all chosen.

    If too few are that far apart, the distance is halved and the remaining ones are tried again, at last without it.

    Args:
        unit: Candidates in unit-box coordinates, shape (B, D).
        order: Indices of the candidates that may be chosen, best first.
        count: Number to choose; fewer are returned if ``order`` is shorter.
        distance: Smallest distance between chosen ones, in shares of the box's edge.

    Returns:
        Indices in the order of choice.
    """
    chosen: list[int] = []
    # Distance of every candidate to the nearest chosen one; -1 marks chosen candidates.
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
