"""Poses of parts that look the same after a turn about their own z axis: the plug, and so the socket it seats in.

The order ``symmetry`` is that of a part (:attr:`refinery.part.PartGeometry.symmetry`): n turns look the same; 1 is
only one way round; 0 is a round section, whose turn about the axis does not count at all.
"""

from __future__ import annotations

import numpy as np

from refinery.rotations import Array, Poses


def nearest_turn_rad(relative_xyzw: Array, symmetry: int) -> Array:
    """Turn about the own z axis that brings orientations nearest to the identity, among those that look the same.

    Args:
        relative_xyzw: Orientations relative to what they should equal, shape (B, 4); need not be normalised.
        symmetry: Order of the symmetry.

    Returns:
        Turns to apply first (``relative @ turn``), shape (B,), [rad].
    """
    twist = _twist_rad(relative_xyzw)
    return np.asarray(-twist if symmetry == 0 else -_whole_turns_rad(twist, symmetry))


def remaining_turn_rad(relative_xyzw: Array, symmetry: int) -> Array:
    """Turn about the own axis that is left after that turn, signed; 0 for a round section.

    Args:
        relative_xyzw: As for :func:`nearest_turn_rad`.
        symmetry: Order of the symmetry.

    Returns:
        Shape (B,), [rad].
    """
    twist = _twist_rad(relative_xyzw)
    return np.zeros_like(twist) if symmetry == 0 else twist - _whole_turns_rad(twist, symmetry)


def remaining_angle_rad(relative_xyzw: Array, symmetry: int) -> Array:
    """Rotation angle left after that turn.

    Args:
        relative_xyzw: As for :func:`nearest_turn_rad`.
        symmetry: Order of the symmetry.

    Returns:
        Shape (B,), [rad].
    """
    x, y, z, w = relative_xyzw.T
    twist = _twist_rad(relative_xyzw)
    rest = np.zeros_like(twist) if symmetry == 0 else twist - _whole_turns_rad(twist, symmetry)
    # sin^2 and cos^2 of half the tilt are x^2 + y^2 and z^2 + w^2. Trainings repeat to the bit as long as this does.
    norm = x * x + y * y + z * z + w * w
    half_sine_squared = (x * x + y * y + (z * z + w * w) * np.sin(rest / 2) ** 2) / norm
    return np.asarray(2 * np.arcsin(np.sqrt(half_sine_squared.clip(0, 1))))


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
    return remaining_angle_rad(_relative_xyzw(reference.quat_xyzw, poses.quat_xyzw), symmetry)


def _twist_rad(relative_xyzw: Array) -> Array:
    """Twist about the own axis, before which there is a tilt of it; only the twist is changed by a turn about it."""
    return np.asarray(2 * np.arctan2(relative_xyzw[:, 2], relative_xyzw[:, 3]))


def _whole_turns_rad(twist_rad: Array, symmetry: int) -> Array:
    """The multiple of the smallest turn that looks the same which is nearest to a twist, [rad]."""
    period = 2 * np.pi / symmetry
    return np.asarray(period * np.round(twist_rad / period))


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
