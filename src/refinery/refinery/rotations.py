"""The one place that knows about rotations: thin, batched helpers over scipy with explicit quaternion order.

Every array has a leading batch axis: positions are ``(B, 3)`` in metres, quaternions ``(B, 4)`` in **xyzw** order (as
in geometry_msgs and scipy), rotation vectors ``(B, 3)`` in radians. A :class:`Poses` is a batch of rigid transforms.

A policy tick, which turns one pose at a time, has :mod:`refinery.tick.pose` instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
Vec3 = tuple[float, float, float]
"""A vector, x, y, z."""
Quat = tuple[float, float, float, float]
"""A quaternion, x, y, z, w."""


@dataclass(frozen=True, kw_only=True)
class Poses:
    """A batch of rigid transforms ``parent <- child``: poses of the child in the parent frame.

    Where a name says both frames it says ``parent_from_child``, so that ``a_from_b @ b_from_c`` is ``a_from_c``; a pose
    named after one thing only (``socket``, ``measured``) is in the base frame unless its description says otherwise.
    """

    pos_m: Array
    """Origin of the child in the parent frame, shape (B, 3), [m]."""
    quat_xyzw: Array
    """Orientation of the child in the parent frame, unit, shape (B, 4)."""

    @classmethod
    def from_xyz_rpy(cls, xyz_m: ArrayLike, rpy_rad: ArrayLike) -> Poses:
        """Make poses from positions [m] and roll, pitch, yaw [rad] about the fixed parent axes, each (B, 3) or (3,)."""
        pos = np.atleast_2d(np.asarray(xyz_m, dtype=np.float64))
        quat = np.atleast_2d(Rotation.from_euler("xyz", np.asarray(rpy_rad, dtype=np.float64)).as_quat())
        return cls(pos_m=pos, quat_xyzw=quat)

    @classmethod
    def single(cls, pos_m: ArrayLike, quat_xyzw: ArrayLike) -> Poses:
        """Make a batch of one pose from a position (3,) [m] and a quaternion (4,) xyzw (normalised here)."""
        quat = np.asarray(quat_xyzw, dtype=np.float64).reshape(1, 4)
        return cls(
            pos_m=np.asarray(pos_m, dtype=np.float64).reshape(1, 3), quat_xyzw=quat / np.linalg.norm(quat, axis=1)
        )

    @property
    def rotation(self) -> Rotation:
        """The orientations as a scipy rotation of length B."""
        return Rotation.from_quat(self.quat_xyzw)

    def __len__(self) -> int:
        return len(self.pos_m)

    def __getitem__(self, index: int | slice | NDArray[np.intp] | NDArray[np.bool_]) -> Poses:
        picked = slice(index, index + 1) if isinstance(index, (int, np.integer)) else index
        return Poses(pos_m=self.pos_m[picked], quat_xyzw=self.quat_xyzw[picked])

    def __matmul__(self, other: Poses) -> Poses:
        """Compose: ``(a <- b) @ (b <- c)`` is ``a <- c``; batches broadcast against length 1."""
        rotation = self.rotation
        quat = np.atleast_2d((rotation * other.rotation).as_quat())
        return Poses(pos_m=self.pos_m + rotation.apply(other.pos_m), quat_xyzw=quat)

    def inverse(self) -> Poses:
        """Return ``child <- parent``."""
        inverse = self.rotation.inv()
        return Poses(pos_m=-inverse.apply(self.pos_m), quat_xyzw=np.atleast_2d(inverse.as_quat()))

    def rpy_rad(self) -> Array:
        """Roll, pitch, yaw about the fixed parent axes, shape (B, 3), [rad]."""
        return np.atleast_2d(self.rotation.as_euler("xyz"))


def angle_between_rad(a_xyzw: Array, b_xyzw: Array) -> Array:
    """Rotation angle between orientations, shape (B,), [rad]."""
    return np.atleast_1d((Rotation.from_quat(a_xyzw).inv() * Rotation.from_quat(b_xyzw)).magnitude())


def rotvec_between_rad(a_xyzw: Array, b_xyzw: Array) -> Array:
    """Rotation vector that takes ``a`` to ``b`` about the parent axes (``b = exp(v) a``), shape (B, 3), [rad]."""
    return np.atleast_2d((Rotation.from_quat(b_xyzw) * Rotation.from_quat(a_xyzw).inv()).as_rotvec())


def xyzw_from_wxyz(quat_wxyz: ArrayLike) -> Array:
    """Reorder MuJoCo's wxyz quaternions to xyzw, shape (..., 4)."""
    return np.roll(np.asarray(quat_wxyz, dtype=np.float64), -1, axis=-1)


def wxyz_from_xyzw(quat_xyzw: ArrayLike) -> Array:
    """Reorder xyzw quaternions to MuJoCo's wxyz, shape (..., 4)."""
    return np.roll(np.asarray(quat_xyzw, dtype=np.float64), 1, axis=-1)
