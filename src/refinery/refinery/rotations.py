"""The one place that knows about rotations: thin, batched helpers over scipy with explicit quaternion order.

Every array has a leading batch axis: positions are ``(B, 3)`` in metres, quaternions ``(B, 4)`` in **xyzw** order (as
in geometry_msgs and scipy), rotation vectors ``(B, 3)`` in radians. A :class:`Poses` is a batch of rigid transforms.

A policy tick turns one pose some forty times, and scipy takes tens of microseconds for each of them, whatever the size
of the batch. For it there is :class:`OnePose`, a batch of one that holds plain floats, and the functions on tuples at
the end of this file; the tests hold them against scipy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
Vec3 = tuple[float, float, float]
"""A vector, x, y, z."""
Quat = tuple[float, float, float, float]
"""A quaternion, x, y, z, w."""
Matrix = tuple[float, float, float, float, float, float, float, float, float]
"""A rotation matrix, row by row."""


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


class OnePose(Poses):
    """A batch of one as plain floats; its arrays are copies, made when somebody asks for them.

    Args:
        xyz_m: Origin of the child in the parent frame, [m].
        xyzw: Orientation of the child in the parent frame, a unit quaternion.
    """

    xyz_m: Vec3
    xyzw: Quat

    def __init__(self, xyz_m: Vec3, xyzw: Quat) -> None:
        # The base class is frozen: attributes are set past its guard, once.
        self.__dict__["xyz_m"] = xyz_m
        self.__dict__["xyzw"] = xyzw

    @classmethod
    def of(cls, poses: Poses) -> OnePose:
        """Return a batch of one as floats, its quaternion normalised; NaN where that has no direction."""
        if isinstance(poses, OnePose):
            return poses
        x, y, z = poses.pos_m[0].tolist()
        return cls((x, y, z), unit(*poses.quat_xyzw[0].tolist()))

    @property
    def matrix(self) -> Matrix:
        """The orientation as a matrix, made once."""
        known: Matrix | None = self.__dict__.get("_matrix")
        if known is None:
            known = self.__dict__["_matrix"] = matrix_of(self.xyzw)
        return known

    @property
    def pos_m(self) -> Array:
        """Position, shape (1, 3), [m]; a copy."""
        return np.array([self.xyz_m])

    @property
    def quat_xyzw(self) -> Array:
        """Orientation, shape (1, 4); a copy."""
        return np.array([self.xyzw])


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


def unit(x: float, y: float, z: float, w: float) -> Quat:
    """Normalise a quaternion; NaN if it has no direction."""
    norm = math.sqrt(x * x + y * y + z * z + w * w)
    if not 0.0 < norm < math.inf:
        return (math.nan, math.nan, math.nan, math.nan)
    return (x / norm, y / norm, z / norm, w / norm)


def conjugate(q: Quat) -> Quat:
    """Return the inverse of a unit quaternion."""
    x, y, z, w = q
    return (-x, -y, -z, w)


def multiply(a: Quat, b: Quat) -> Quat:
    """Compose two orientations: first ``b``, then ``a``."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by + ay * bw + az * bx - ax * bz,
        aw * bz + az * bw + ax * by - ay * bx,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def matrix_of(q: Quat) -> Matrix:
    """Return the matrix of a unit quaternion."""
    x, y, z, w = q
    xx, yy, zz, xy, xz, yz = 2 * x * x, 2 * y * y, 2 * z * z, 2 * x * y, 2 * x * z, 2 * y * z
    wx, wy, wz = 2 * w * x, 2 * w * y, 2 * w * z
    return (1 - yy - zz, xy - wz, xz + wy, xy + wz, 1 - xx - zz, yz - wx, xz - wy, yz + wx, 1 - xx - yy)


def turned(m: Matrix, v: Vec3) -> Vec3:
    """Turn a vector from the child's axes to the parent's."""
    a, b, c, d, e, f, g, h, i = m
    x, y, z = v
    return (a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z)


def turned_back(m: Matrix, x: float, y: float, z: float) -> Vec3:
    """Turn a vector from the parent's axes to the child's."""
    a, b, c, d, e, f, g, h, i = m
    return (a * x + d * y + g * z, b * x + e * y + h * z, c * x + f * y + i * z)


def rotvec_of(q: Quat) -> Vec3:
    """Return the rotation vector of a unit quaternion, at most half a turn, [rad]."""
    x, y, z, w = q
    if w < 0:
        x, y, z, w = -x, -y, -z, -w
    sine = math.sqrt(x * x + y * y + z * z)
    scale = 2.0 * math.atan2(sine, w) / sine if sine > 0.0 else 2.0
    return (scale * x, scale * y, scale * z)


def quat_of(v: Vec3) -> Quat:
    """Return the unit quaternion of a rotation vector [rad]."""
    x, y, z = v
    angle = math.sqrt(x * x + y * y + z * z)
    scale = math.sin(angle / 2.0) / angle if angle > 0.0 else 0.5
    return (scale * x, scale * y, scale * z, math.cos(angle / 2.0))


def clipped(v: Vec3, limits: Vec3) -> Vec3:
    """Clip a vector to plus and minus its limits; NaN stays."""
    x, y, z = v
    a, b, c = limits
    return (
        a if x > a else -a if x < -a else x,
        b if y > b else -b if y < -b else y,
        c if z > c else -c if z < -c else z,
    )
