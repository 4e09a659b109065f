"""A timed way through joint space: limits, timing of one leg from rest to rest, and the check of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline

from refinery.errors import RefineryError
from refinery.kinematics import ArmKinematics

Array = NDArray[np.float64]

_DENSE = 201
_LEAST_POINTS = 20
_LEAST_S = 0.2
_SLACK = 1.001
"""What rounding may take away."""
_QUINTIC_PEAK = 1.875
"""Peak speed of the quintic time law over a unit distance in a unit time."""


class PlacementError(RefineryError):
    """There is no way to the goal that keeps the rules; the message says where it ends."""


@dataclass(frozen=True, kw_only=True)
class MotionLimits:
    """What the arm may do on the way (already scaled down from what it could do)."""

    velocity_rad_s: Array
    """Per joint, shape (7,), [rad/s]."""
    acceleration_rad_s2: Array
    """Per joint, shape (7,), [rad/s^2]."""
    tool_speed_m_s: float
    """Of the tool, [m/s]."""


@dataclass(frozen=True, kw_only=True)
class JointPath:
    """A timed way through joint space; between points it is the cubic that meets positions and velocities."""

    times_s: Array
    """Shape (N,), strictly increasing from 0, [s]."""
    positions_rad: Array
    """Shape (N, 7), [rad]."""
    velocities_rad_s: Array
    """Shape (N, 7), zero in the first and last row, [rad/s]."""

    @property
    def duration_s(self) -> float:
        """Time from start to end, [s]."""
        return float(self.times_s[-1])

    @cached_property
    def spline(self) -> CubicHermiteSpline:
        """What a joint trajectory controller makes of the points, as a function of time [s]."""
        return CubicHermiteSpline(self.times_s, self.positions_rad, self.velocities_rad_s, axis=0)

    def at(self, time_s: float) -> Array:
        """Return the joints at a time (clipped to the path), shape (7,), [rad]."""
        return np.asarray(self.spline(np.clip(time_s, 0.0, self.duration_s)))


def time_leg(joints: Array, length_m: float, limits: MotionLimits, point_s: float) -> tuple[Array, Array, Array]:
    """Time one leg from rest to rest with a quintic law, as fast as the limits allow.

    Args:
        joints: Evenly spaced knots of the leg, shape (K, 7), K >= 4, [rad].
        length_m: Distance of the tool over the leg, [m].
        limits: Of joints and tool.
        point_s: Longest time between points, [s].

    Returns:
        Times from 0 [s], positions [rad] and velocities [rad/s] of the points, at rest at both ends.
    """
    curve = CubicSpline(np.linspace(0.0, 1.0, len(joints)), joints, axis=0)
    slowest = _QUINTIC_PEAK * length_m / limits.tool_speed_m_s
    # First with many points, to know how many are needed; then exactly for those that are sent.
    duration = max(slowest, _fastest(_unit_leg(curve, _DENSE), limits))
    unit = _unit_leg(curve, max(_LEAST_POINTS, int(np.ceil(duration / point_s))) + 1)
    duration = _SLACK * max(slowest, _fastest(unit, limits), _LEAST_S)
    return unit.times_s * duration, unit.positions_rad, unit.velocities_rad_s / duration


def check_path(path: JointPath, kinematics: ArmKinematics, limits: MotionLimits) -> None:
    """Check a way against the limits, between its points too.

    Args:
        path: The way.
        kinematics: Has the joint limits.
        limits: Of joints.

    Raises:
        PlacementError: Naming the joint, the limit and the value.
    """
    if not all(np.isfinite(v).all() for v in (path.times_s, path.positions_rad, path.velocities_rad_s)):
        raise PlacementError("the planned way is not finite")
    if np.any(np.diff(path.times_s) <= 0) or np.any(path.velocities_rad_s[[0, -1]] != 0):
        raise PlacementError("the planned way does not start and end at rest with increasing times")
    fine = np.interp(np.linspace(0, 1, 4 * len(path.times_s)), np.linspace(0, 1, len(path.times_s)), path.times_s)
    positions = path.spline(fine)
    velocity, acceleration = _peaks(path.spline)
    excess = {
        "position limit [rad]": np.maximum(kinematics.low_rad - positions, positions - kinematics.high_rad).max(axis=0),
        "velocity limit [rad/s]": velocity - limits.velocity_rad_s,
        "acceleration limit [rad/s^2]": acceleration - limits.acceleration_rad_s2,
    }
    for name, over in excess.items():
        worst = int(np.argmax(over))
        if over[worst] > 1e-9:
            raise PlacementError(f"the planned way breaks the {name} of joint {worst + 1} by {over[worst]:.3g}")


def _unit_leg(curve: CubicSpline, points: int) -> JointPath:
    """Follow a curve over [0, 1] from rest to rest in unit time with this many points."""
    sigma = np.linspace(0.0, 1.0, points)
    s, ds = sigma**3 * (10 - 15 * sigma + 6 * sigma**2), 30 * sigma**2 * (1 - sigma) ** 2
    return JointPath(times_s=sigma, positions_rad=curve(s), velocities_rad_s=curve(s, 1) * ds[:, None])


def _fastest(unit: JointPath, limits: MotionLimits) -> float:
    """Least time to stretch a unit-time leg to, [s]: velocities shrink with it, accelerations with its square."""
    velocity, acceleration = _peaks(unit.spline)
    by_velocity = float((velocity / limits.velocity_rad_s).max())
    return max(by_velocity, float(np.sqrt((acceleration / limits.acceleration_rad_s2).max())))


def _peaks(spline: CubicHermiteSpline) -> tuple[Array, Array]:
    """Exact peaks of |velocity| and |acceleration| of piecewise cubics, shape (7,) each."""
    steps = np.diff(spline.x)[:, None]
    cubic, square, slope = spline.c[0], spline.c[1], spline.c[2]
    # The acceleration is linear in every piece, so it peaks at an end; the velocity peaks at an end or at its vertex.
    left, right = 2 * square, 2 * square + 6 * cubic * steps
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = np.nan_to_num(-square / (3 * cubic), nan=0.0, posinf=0.0, neginf=0.0)
    vertex = np.clip(vertex, 0.0, steps)
    at = [slope + 2 * square * t + 3 * cubic * t**2 for t in (0.0 * steps, vertex, steps)]
    return np.abs(at).max(axis=(0, 1)), np.abs([left, right]).max(axis=(0, 1))
