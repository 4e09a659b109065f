"""One pose in plain floats, for the tick, and quaternions on tuples.

A tick turns one pose some forty times, and scipy takes tens of microseconds for each of them, whatever the size of the
batch: batches are :class:`refinery.rotations.Poses`, the tick has :class:`Pose`, and the tests hold one against the
other. Positions are in metres, quaternions in xyzw order.
"""

from __future__ import annotations

import math

import numpy as np

from refinery.rotations import Poses, Quat, Vec3

Matrix = tuple[float, float, float, float, float, float, float, float, float]
"""A rotation matrix, row by row."""


class Pose:
    """A rigid transform ``parent <- child``; not to be changed once it is made.

    Args:
        xyz_m: Origin of the child in the parent frame, [m].
        xyzw: Orientation of the child in the parent frame, a unit quaternion.
    """

    __slots__ = ("_matrix", "xyz_m", "xyzw")

    def __init__(self, xyz_m: Vec3, xyzw: Quat) -> None:
        self.xyz_m = xyz_m
        self.xyzw = xyzw
        self._matrix: Matrix | None = None

    @staticmethod
    def of(poses: Poses) -> Pose:
        """Return a batch of one as floats, its quaternion normalised; NaN where that has no direction."""
        x, y, z = poses.pos_m[0].tolist()
        qx, qy, qz, qw = poses.quat_xyzw[0].tolist()
        return Pose((x, y, z), unit((qx, qy, qz, qw)))

    def batch(self) -> Poses:
        """Return the pose as a batch of one."""
        return Poses(pos_m=np.array([self.xyz_m]), quat_xyzw=np.array([self.xyzw]))

    def matrix(self) -> Matrix:
        """Return the orientation as a matrix, made once: guard, encoder and decoder all turn vectors by it."""
        matrix = self._matrix
        if matrix is None:
            matrix = self._matrix = matrix_of(self.xyzw)
        return matrix

    def __repr__(self) -> str:
        return f"Pose({self.xyz_m}, {self.xyzw})"


def unit(q: Quat) -> Quat:
    """Normalise a quaternion; NaN if it has no direction."""
    x, y, z, w = q
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
    xx, yy, zz, xy, xz, yz = 2.0 * x * x, 2.0 * y * y, 2.0 * z * z, 2.0 * x * y, 2.0 * x * z, 2.0 * y * z
    wx, wy, wz = 2.0 * w * x, 2.0 * w * y, 2.0 * w * z
    return (1.0 - yy - zz, xy - wz, xz + wy, xy + wz, 1.0 - xx - zz, yz - wx, xz - wy, yz + wx, 1.0 - xx - yy)


def turned(m: Matrix, v: Vec3) -> Vec3:
    """Turn a vector from the child's axes to the parent's."""
    a, b, c, d, e, f, g, h, i = m
    x, y, z = v
    return (a * x + b * y + c * z, d * x + e * y + f * z, g * x + h * y + i * z)


def turned_back(m: Matrix, v: Vec3) -> Vec3:
    """Turn a vector from the parent's axes to the child's."""
    a, b, c, d, e, f, g, h, i = m
    x, y, z = v
    return (a * x + d * y + g * z, b * x + e * y + h * z, c * x + f * y + i * z)


def rotvec_of(q: Quat) -> Vec3:
    """Return the rotation vector of a unit quaternion, at most half a turn, [rad]."""
    x, y, z, w = q
    if w < 0.0:
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


def distance(a: Vec3, b: Vec3) -> float:
    """Return the distance between two points."""
    ax, ay, az = a
    bx, by, bz = b
    x, y, z = ax - bx, ay - by, az - bz
    return math.sqrt(x * x + y * y + z * z)


def finite(value: float) -> bool:
    """Tell whether a number is neither NaN nor infinite; cheaper than :func:`math.isfinite` once compiled."""
    return value - value == 0.0
