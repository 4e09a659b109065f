"""Poses of parts that look the same after a turn about their own z axis: the plug, and so the socket it seats in.

The order ``symmetry`` is that of a section (:attr:`refinery.section.SectionSpec.symmetry`): n turns look the same; 1 is
only one way round; 0 is a round section, whose turn about the axis does not count at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses

Array = NDArray[np.float64]


def nearest_turn_rad(relative_xyzw: Array, symmetry: int) -> Array:
    """Turn about the own z axis that brings orientations nearest to the identity, among those that look the same.

    Args:
        relative_xyzw: Orientations relative to what they should equal, shape (B, 4); need not be normalised.
        symmetry: Order of the symmetry.

    Returns:
        Turns to apply first (``relative @ turn``), shape (B,), [rad].
    """
    _, _, z, w = relative_xyzw.T
    # A twist about the own axis, then a tilt of it; only the twist is changed by such a turn.
    twist = 2 * np.arctan2(z, w)
    if symmetry == 0:
        return np.asarray(-twist)
    period = 2 * np.pi / symmetry
    return np.asarray(-period * np.round(twist / period))


def nearest_equivalent(poses: Poses, reference: Poses, symmetry: int) -> Poses:
    """Turn poses about their own z axes to the orientations nearest to a reference, among those that look the same.

    Args:
        poses: In some frame, batch of B.
        reference: In the same frame, batch of B or of one.
        symmetry: Order of the symmetry.

    Returns:
        Batch of B: the same positions, the same or equivalent orientations.
    """
    x, y, z, w = poses.quat_xyzw.T
    turn = nearest_turn_rad(_relative_xyzw(reference.quat_xyzw, poses.quat_xyzw), symmetry)
    sine, cosine = np.sin(turn / 2), np.cos(turn / 2)
    turned = (x * cosine + y * sine, y * cosine - x * sine, z * cosine + w * sine, w * cosine - z * sine)
    return Poses(pos_m=poses.pos_m, quat_xyzw=np.stack(turned, axis=-1))


def nearest_angle_rad(poses: Poses, reference: Poses, symmetry: int) -> Array:
    """Return the rotation angles left between poses and a reference once each is turned nearest to it.

    Args:
        poses: In some frame, batch of B.
        reference: In the same frame, batch of B or of one.
        symmetry: Order of the symmetry.

    Returns:
        Shape (B,), [rad].
    """
    relative = _relative_xyzw(reference.quat_xyzw, poses.quat_xyzw)
    x, y, z, w = relative.T
    turn = nearest_turn_rad(relative, symmetry)
    rest = z * np.cos(turn / 2) + w * np.sin(turn / 2)
    half_sine_squared = (x * x + y * y + rest * rest) / (x * x + y * y + z * z + w * w)
    return np.asarray(2 * np.arcsin(np.sqrt(half_sine_squared.clip(0, 1))))


def _relative_xyzw(a_xyzw: Array, b_xyzw: Array) -> Array:
    """Return ``a^-1 b``; in plain numpy, because one pose at a time costs scipy tens of microseconds."""
    ax, ay, az, aw = a_xyzw.T
    bx, by, bz, bw = b_xyzw.T
    return np.stack(
        [
            aw * bx - ax * bw - ay * bz + az * by,
            aw * by - ay * bw - az * bx + ax * bz,
            aw * bz - az * bw - ax * by + ay * bx,
            aw * bw + ax * bx + ay * by + az * bz,
        ],
        axis=-1,
    )
