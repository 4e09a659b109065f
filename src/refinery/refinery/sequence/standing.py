"""How a part that was let go comes to stand."""

from __future__ import annotations

import numpy as np

from refinery.rotations import Poses


def standing(part: Poses) -> Poses:
    """Return where parts are that were let go at poses (batch of B), by a frame whose z is up: flat on their seats.

    A held part leans within its play. Taken for how it stands, that would be off by the lean times the height at which
    the next part goes on.
    """
    upright = np.zeros((len(part), 3))
    upright[:, 2] = part.rpy_rad()[:, 2]
    return Poses.from_xyz_rpy(part.pos_m, upright)
