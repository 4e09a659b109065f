"""Joint trajectories as a joint trajectory controller takes them: checked whole before the arm moves, then sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator, PPoly

from refinery.config import check
from refinery.errors import RefineryError
from refinery.rotations import Array

MAX_POINTS = 10_000
"""More points than this are refused."""
MAX_DURATION_S = 120.0
"""Longer trajectories are refused, [s]."""
START_TOLERANCE_RAD = 0.05
"""A first point at time 0 must be this close to where the arm is, [rad]: the servos would jump to it."""
REST_RAD_S = float(np.finfo(np.float32).eps)
"""A last point that is faster than this is in motion, [rad/s] (ros2_controllers takes the same)."""
_CHECK_STEP_S = 0.005


class TrajectoryError(RefineryError):
    """A trajectory that is not followed; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class JointLimits:
    """What every trajectory is checked against."""

    low_rad: Array
    """Lower position limits, shape (7,), [rad]."""
    high_rad: Array
    """Upper position limits, shape (7,), [rad]."""
    velocity_rad_s: Array
    """Largest speed per joint, shape (7,), > 0, [rad/s]."""

    def __post_init__(self) -> None:
        """Validate shapes and order."""
        check(bool(np.all(self.low_rad < self.high_rad)), "high_rad", f"above low_rad {self.low_rad}", self.high_rad)
        check(bool(np.all(self.velocity_rad_s > 0)), "velocity_rad_s", "positive speeds [rad/s]", self.velocity_rad_s)


class JointTrajectory:
    """A smooth way through joint space that starts where the arm is and ends at rest.

    Args:
        curve: Joints as a function of time, from 0 to ``duration_s``.
        duration_s: Length, [s].
    """

    def __init__(self, curve: PPoly, duration_s: float) -> None:
        self._curve = curve
        self._speed = curve.derivative()
        self.duration_s = duration_s
        """Time from start to goal, [s]."""

    def sample(self, time_s: float | Array) -> tuple[Array, Array]:
        """Return positions [rad] and velocities [rad/s] at times since the start; beyond the end the goal, at rest."""
        clipped = np.clip(time_s, 0.0, self.duration_s)
        moving = np.asarray(time_s) < self.duration_s
        return np.asarray(self._curve(clipped)), np.asarray(self._speed(clipped)) * moving[..., None]

    @property
    def goal_rad(self) -> Array:
        """The last point, shape (7,), [rad]."""
        return np.asarray(self._curve(self.duration_s))


def plan(
    *,
    times_s: ArrayLike,
    positions_rad: ArrayLike,
    velocities_rad_s: ArrayLike | None = None,
    accelerations_rad_s2: ArrayLike | None = None,
    start_rad: ArrayLike,
    limits: JointLimits,
) -> JointTrajectory:
    """Interpolate the points of a trajectory and check every instant of it.

    With velocities it is the cubic, with accelerations too the quintic, as in ros2_controllers' joint trajectory
    controller; without velocities a monotone cubic (no overshoot) at rest at both ends.

    Args:
        times_s: Times from the start of the trajectory, shape (P,), >= 0, increasing, [s].
        positions_rad: Shape (P, 7), [rad].
        velocities_rad_s: Shape (P, 7) or None, [rad/s].
        accelerations_rad_s2: Shape (P, 7) or None (used only with velocities), [rad/s^2].
        start_rad: Where the arm is, shape (7,), [rad]; put in front unless the first point is at time 0.
        limits: Joint limits.

    Returns:
        The trajectory.

    Raises:
        TrajectoryError: Empty, not finite, out of order, too long, starts elsewhere, ends in motion or breaks a limit.
    """
    times = np.atleast_1d(np.asarray(times_s, dtype=np.float64))
    start = np.asarray(start_rad, dtype=np.float64)
    columns = [_points("positions", positions_rad, len(times))]
    if velocities_rad_s is not None:
        columns.append(_points("velocities", velocities_rad_s, len(times)))
        if accelerations_rad_s2 is not None:
            columns.append(_points("accelerations", accelerations_rad_s2, len(times)))
    _check_times(times)
    if times[0] > 0:
        times = np.concatenate([[0.0], times])
        columns = [
            np.vstack([first, column]) for first, column in zip((start, start * 0, start * 0), columns, strict=False)
        ]
    away = float(np.abs(columns[0][0] - start).max())
    if away > START_TOLERANCE_RAD:
        raise TrajectoryError(
            f"the trajectory starts {away:.3f} rad from where the arm is, expected at most {START_TOLERANCE_RAD} rad; "
            "plan from the present joints or give the first point a time > 0"
        )
    if len(columns) > 1 and np.abs(columns[1][-1]).max() > REST_RAD_S:
        raise TrajectoryError("the last point is in motion, expected velocities of 0 rad/s there")
    if len(times) == 1:
        times = np.array([0.0, _CHECK_STEP_S])
        columns = [np.repeat(column, 2, axis=0) for column in columns]
    trajectory = JointTrajectory(_curve(times, columns), float(times[-1]))
    _check_limits(trajectory, limits)
    return trajectory


def _points(name: str, values: ArrayLike, count: int) -> Array:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TrajectoryError(f"{name}: expected 7 numbers at every point, got points of different lengths") from None
    if array.shape != (count, 7):
        raise TrajectoryError(
            f"{name}: expected 7 values at each of {count} points, got an array of shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise TrajectoryError(f"{name}: expected finite numbers, got NaN or infinity")
    return array


def _check_times(times: Array) -> None:
    if not 1 <= len(times) <= MAX_POINTS:
        raise TrajectoryError(f"expected 1 to {MAX_POINTS} points, got {len(times)}")
    if not np.isfinite(times).all() or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise TrajectoryError("time_from_start: expected times >= 0 that increase from point to point")
    if times[-1] > MAX_DURATION_S:
        raise TrajectoryError(f"expected a trajectory of at most {MAX_DURATION_S:.0f} s, got {times[-1]:.1f} s")


def _curve(times: Array, columns: list[Array]) -> PPoly:
    if len(columns) == 3:
        return _quintic(times, *columns)
    if len(columns) == 2:
        return CubicHermiteSpline(times, columns[0], columns[1], axis=0)
    slopes = np.asarray(PchipInterpolator(times, columns[0], axis=0)(times, 1))
    slopes[[0, -1]] = 0.0
    return CubicHermiteSpline(times, columns[0], slopes, axis=0)


def _quintic(times: Array, points: Array, speeds: Array, accelerations: Array) -> PPoly:
    """Return the polynomials of degree five between points (P, 7) with these derivatives."""
    h = np.diff(times)[:, None]
    d = np.diff(points, axis=0) / h
    v0, v1 = speeds[:-1], speeds[1:]
    a0, a1 = accelerations[:-1] * h, accelerations[1:] * h
    cubic = (20 * d - 8 * v1 - 12 * v0 - 3 * a0 + a1) / (2 * h**2)
    fourth = (-30 * d + 14 * v1 + 16 * v0 + 3 * a0 - 2 * a1) / (2 * h**3)
    fifth = (12 * d - 6 * v1 - 6 * v0 - a0 + a1) / (2 * h**4)
    return PPoly(np.stack([fifth, fourth, cubic, a0 / (2 * h), v0, points[:-1]]), times)


def _check_limits(trajectory: JointTrajectory, limits: JointLimits) -> None:
    """Look at the whole curve, not only the points: a cubic can leave the limits between two points inside them."""
    times = np.linspace(0.0, trajectory.duration_s, int(np.ceil(trajectory.duration_s / _CHECK_STEP_S)) + 2)
    positions, speeds = trajectory.sample(times)
    outside = np.maximum(limits.low_rad - positions, positions - limits.high_rad)
    over = np.abs(speeds) - limits.velocity_rad_s
    for excess, values, what, unit in (
        (outside, positions, "position", "rad"),
        (over, speeds, "velocity", "rad/s"),
    ):
        row, joint = np.unravel_index(int(np.argmax(excess)), excess.shape)
        if excess[row, joint] > 1e-6:
            bound = (
                f"{limits.low_rad[joint]:.3f} to {limits.high_rad[joint]:.3f}"
                if what == "position"
                else f"at most {limits.velocity_rad_s[joint]:.3f}"
            )
            raise TrajectoryError(
                f"joint {joint + 1} leaves its {what} limit at {times[row]:.2f} s: "
                f"expected {bound} {unit}, got {values[row, joint]:.3f} {unit}"
            )
