"""Factory-Franka's bank of start states: where the parts are in each, and which is nearest to a wanted start."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array, Poses, angle_between_rad

ROOT_STATE = 13
"""Numbers of a root's pose and velocity."""
LENGTH_M = 0.001
"""Length that counts as much as :data:`ANGLE_RAD` in the distance of two starts, [m]."""
ANGLE_RAD = 0.01
"""Angle that counts as much as :data:`LENGTH_M`, [rad]."""


def root_columns(
    articulations: Mapping[str, int], rigid_objects: Sequence[str], stored: Collection[str]
) -> dict[str, int]:
    """Return the first column of each asset's root pose in the bank; its layout is ``utils/reset_state.py``'s.

    Args:
        articulations: The scene's articulations in its order, with their numbers of joints.
        rigid_objects: The scene's rigid objects in its order.
        stored: Names of the assets whose state is in the bank.
    """
    columns, offset = {}, 0
    for name, joints in articulations.items():
        if name in stored:
            columns[name], offset = offset, offset + ROOT_STATE + 2 * joints
    for name in rigid_objects:
        if name in stored:
            columns[name], offset = offset, offset + ROOT_STATE
    return columns


def relative_poses(states: Array, columns: Mapping[str, int], seat: Poses, align: Poses) -> Poses:
    """Return where the held part is relative to its seat in each state.

    Args:
        states: The bank, shape (n, d), quaternions xyzw.
        columns: As :func:`root_columns` returns them.
        seat: Frame of the seated part in the fixed asset's, batch of one.
        align: Frame of the held part that comes to lie on the seat's, in the held asset's, batch of one.
    """
    fixed, held = (_root(states, columns[name]) for name in ("fixed_asset", "held_asset"))
    return (fixed @ seat).inverse() @ (held @ align)


def _root(states: Array, column: int) -> Poses:
    return Poses(pos_m=states[:, column : column + 3], quat_xyzw=states[:, column + 3 : column + 7])


def nearest_slots(wanted: Poses, bank: Poses) -> NDArray[np.intp]:
    """Return for each wanted pose (k) the index of the nearest in the bank (n), both relative to the seat."""
    found = np.empty(len(wanted), dtype=np.intp)
    for row in range(len(wanted)):
        shift = np.linalg.norm(bank.pos_m - wanted.pos_m[row], axis=1) / LENGTH_M
        turned = np.broadcast_to(wanted.quat_xyzw[row], bank.quat_xyzw.shape)
        found[row] = np.argmin(np.hypot(shift, angle_between_rad(turned, bank.quat_xyzw) / ANGLE_RAD))
    return found
