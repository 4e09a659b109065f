"""Timed motions through joint space: read from messages, checked, joined, slowed down, written to messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from moveit_msgs.msg import MoveItErrorCodes, RobotTrajectory
from numpy.typing import ArrayLike
from scipy.interpolate import CubicHermiteSpline
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from refinery.kinematics import ArmKinematics
from refinery.rotations import Array, Poses, angle_between_rad
from refinery_ros.conversions import duration_message, seconds
from refinery_sampler_node.moveit.error_codes import MoveItError

_MEET_RAD = 0.01
"""A motion that starts farther from the present joints is refused, [rad], as by MoveIt at execution."""
_REST_RAD_S = 1e-3
_SAMPLES = 4
"""Speeds are checked this many times between two points."""
_LINE_M = 0.003
"""A straight motion keeps the tool this close to its line, [m]."""
_END_M, _END_RAD = 5e-4, 5e-3
"""And ends this close to its goal."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """A motion from rest to rest; between points it is the cubic through positions and velocities."""

    times_s: Array
    """Shape (N,), N >= 2, strictly increasing from 0, [s]."""
    positions_rad: Array
    """Shape (N, 7), [rad]."""
    velocities_rad_s: Array
    """Shape (N, 7), zero in the first and last row, [rad/s]."""

    @property
    def duration_s(self) -> float:
        """Time from start to end, [s]."""
        return float(self.times_s[-1])

    @property
    def goal_rad(self) -> Array:
        """Joints at the end, shape (7,), [rad]."""
        return np.asarray(self.positions_rad[-1])

    @cached_property
    def spline(self) -> CubicHermiteSpline:
        """The joint trajectory controller's interpolation of the points, as a function of time [s]."""
        return CubicHermiteSpline(self.times_s, self.positions_rad, self.velocities_rad_s, axis=0)

    def slowed(self, factor: float) -> Motion:
        """Return the same path, slower by a factor >= 1."""
        return Motion(
            times_s=self.times_s * factor,
            positions_rad=self.positions_rad,
            velocities_rad_s=self.velocities_rad_s / factor,
        )


def motion_from_message(
    message: RobotTrajectory, *, joint_names: Sequence[str], start_rad: ArrayLike, kinematics: ArmKinematics, what: str
) -> Motion:
    """Read a trajectory and check it.

    Args:
        message: The trajectory from MoveIt.
        joint_names: The arm's joints, in order.
        start_rad: Joints of the arm when it starts, shape (7,), [rad].
        kinematics: Kinematics of the arm, with its position limits.
        what: Named in errors.

    Returns:
        The motion.

    Raises:
        MoveItError: INVALID_MOTION_PLAN: joints are missing, numbers are missing or not finite, times do not increase,
            it starts elsewhere or in motion, ends in motion, or leaves the position limits.
    """
    trajectory = message.joint_trajectory
    if sorted(trajectory.joint_names) != sorted(joint_names):
        names = ", ".join(trajectory.joint_names) or "no names"
        raise _invalid(what, f"expected the joints {', '.join(joint_names)}, got {names}")
    order = [list(trajectory.joint_names).index(name) for name in joint_names]
    points = trajectory.points
    for name in ("positions", "velocities"):
        if not points or any(len(getattr(point, name)) != len(order) for point in points):
            raise _invalid(what, f"expected {name} of {len(order)} joints at every point")
    times = np.array([seconds(point.time_from_start) for point in points])
    positions = np.array([point.positions for point in points], dtype=np.float64)[:, order]
    velocities = np.array([point.velocities for point in points], dtype=np.float64)[:, order]
    start = np.asarray(start_rad, dtype=np.float64)
    if times[0] > 0:
        times = np.concatenate([[0.0], times])
        positions, velocities = np.vstack([start, positions]), np.vstack([np.zeros(len(order)), velocities])
    motion = Motion(times_s=times, positions_rad=positions, velocities_rad_s=velocities)
    _check(motion, start, kinematics, what)
    return motion


def _check(motion: Motion, start_rad: Array, kinematics: ArmKinematics, what: str) -> None:
    values = (motion.times_s, motion.positions_rad, motion.velocities_rad_s)
    if not all(np.isfinite(each).all() for each in values):
        raise _invalid(what, "expected finite numbers")
    if len(motion.times_s) < 2 or motion.times_s[0] < 0 or np.any(np.diff(motion.times_s) <= 0):
        raise _invalid(what, "expected at least two points with increasing times")
    if np.abs(motion.velocities_rad_s[[0, -1]]).max() > _REST_RAD_S:
        raise _invalid(what, "expected a motion from rest to rest")
    away = float(np.abs(motion.positions_rad[0] - start_rad).max())
    if away > _MEET_RAD:
        raise _invalid(what, f"expected a start within {_MEET_RAD} rad of the arm's joints, got {away:.3f} rad")
    over = np.maximum(kinematics.low_rad - motion.positions_rad, motion.positions_rad - kinematics.high_rad)
    row, joint = np.unravel_index(int(np.argmax(over)), over.shape)
    if over[row, joint] > 1e-6:
        raise _invalid(what, f"joint {joint + 1} would be {over[row, joint]:.3f} rad outside its limits")


def check_line(motion: Motion, kinematics: ArmKinematics, goal: Poses, what: str) -> None:
    """Check that a motion brings the tool straight to a pose.

    Args:
        motion: The motion.
        kinematics: Kinematics of the arm.
        goal: Tool pose at the end, base frame, batch of one.
        what: Named in errors.

    Raises:
        MoveItError: INVALID_MOTION_PLAN: it leaves the line or ends elsewhere.
    """
    tool = kinematics.forward(motion.spline(_fine_times(motion)))
    short = float(np.linalg.norm(tool.pos_m[-1] - goal.pos_m[0]))
    turned = float(angle_between_rad(tool.quat_xyzw[-1], goal.quat_xyzw)[0])
    if short > _END_M or turned > _END_RAD:
        raise _invalid(what, f"it ends {1000 * short:.1f} mm and {turned:.3f} rad from its goal")
    line = goal.pos_m[0] - tool.pos_m[0]
    share = np.clip((tool.pos_m - tool.pos_m[0]) @ line / max(float(line @ line), 1e-12), 0.0, 1.0)
    stray = float(np.linalg.norm(tool.pos_m - tool.pos_m[0] - share[:, None] * line, axis=1).max())
    if stray > _LINE_M:
        raise _invalid(what, f"it leaves the straight line by {1000 * stray:.1f} mm")


def joined(motions: Sequence[Motion]) -> Motion:
    """Join consecutive motions, one or more, each from rest to rest.

    Raises:
        MoveItError: INVALID_MOTION_PLAN: one does not start where the one before ends.
    """
    times, positions, velocities = (
        [motions[0].times_s],
        [motions[0].positions_rad],
        [motions[0].velocities_rad_s],
    )
    for motion in motions[1:]:
        away = float(np.abs(motion.positions_rad[0] - positions[-1][-1]).max())
        if away > _MEET_RAD:
            raise _invalid("the joined motion", f"expected parts that meet, got a gap of {away:.3f} rad")
        times.append(times[-1][-1] + motion.times_s[1:])
        positions.append(motion.positions_rad[1:])
        velocities.append(motion.velocities_rad_s[1:])
    return Motion(
        times_s=np.concatenate(times), positions_rad=np.vstack(positions), velocities_rad_s=np.vstack(velocities)
    )


def within_limits(
    motion: Motion, *, kinematics: ArmKinematics, velocity_rad_s: ArrayLike, tool_speed_m_s: float
) -> Motion:
    """Slow a motion down until it respects the limits: not every planning pipeline limits the tool's speed.

    Args:
        motion: The motion.
        kinematics: Kinematics of the arm.
        velocity_rad_s: Largest joint velocities, shape (7,), [rad/s].
        tool_speed_m_s: Largest speed of the tool, [m/s].

    Returns:
        The same path, inside the limits.
    """
    fine = _fine_times(motion)
    joint_speed = np.abs(motion.spline(fine, 1)).max(axis=0) / np.asarray(velocity_rad_s, dtype=np.float64)
    tool = kinematics.forward(motion.spline(fine)).pos_m
    tool_speed = np.linalg.norm(np.diff(tool, axis=0), axis=1) / np.diff(fine) / tool_speed_m_s
    factor = max(1.0, float(joint_speed.max()), float(tool_speed.max()))
    return motion if factor <= 1.0 + 1e-6 else motion.slowed(factor)


def message_from_motion(motion: Motion, joint_names: Sequence[str]) -> RobotTrajectory:
    """Return a motion as a message for MoveIt; without accelerations, which are discontinuous where parts meet."""
    points = [
        JointTrajectoryPoint(positions=q.tolist(), velocities=v.tolist(), time_from_start=duration_message(float(t)))
        for t, q, v in zip(motion.times_s, motion.positions_rad, motion.velocities_rad_s, strict=True)
    ]
    return RobotTrajectory(joint_trajectory=JointTrajectory(joint_names=list(joint_names), points=points))


def _fine_times(motion: Motion) -> Array:
    count = len(motion.times_s)
    return np.interp(np.linspace(0, count - 1, _SAMPLES * (count - 1) + 1), np.arange(count), motion.times_s)


def _invalid(what: str, detail: str) -> MoveItError:
    return MoveItError(MoveItErrorCodes.INVALID_MOTION_PLAN, what, detail)
