"""Checks incoming messages before they reach the plant; every refusal is one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import PoseStamped
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from refinery.errors import RefineryError
from refinery.rotations import Array, Poses
from refinery_ros.conversions import pose_numbers, seconds
from refinery_sim.trajectory import JointLimits, JointTrajectory, TrajectoryError, plan

UNIT_TOLERANCE = 1e-3
"""Largest distance of a quaternion's norm from 1."""
START_S = 0.1
"""A trajectory whose start is longer ago than this, or further ahead, is refused, [s]; it starts at once otherwise."""


class InputError(RefineryError):
    """A message is ignored; the error says why."""


def target_from(message: PoseStamped, base_frame: str) -> Poses:
    """Read a target pose.

    Args:
        message: As received.
        base_frame: The only frame that is accepted.

    Returns:
        Target of the tool in the base frame, batch of one, with a unit quaternion.

    Raises:
        InputError: Another frame, numbers that are not finite, a quaternion that is not unit.
    """
    if message.header.frame_id != base_frame:
        got = message.header.frame_id
        raise InputError(f"target_pose: expected frame_id {base_frame!r}, got {got!r}; target ignored")
    xyz, quat = pose_numbers(message.pose)
    values = np.array([*xyz, *quat])
    if not np.isfinite(values).all():
        raise InputError("target_pose: expected finite numbers, got NaN or infinity; target ignored")
    norm = float(np.linalg.norm(values[3:]))
    if abs(norm - 1.0) > UNIT_TOLERANCE:
        raise InputError(f"target_pose: expected a unit quaternion, got one of norm {norm:.4f}; target ignored")
    return Poses.single(values[:3], values[3:])


def trajectory_from(
    message: JointTrajectoryMsg,
    joint_names: Sequence[str],
    *,
    now_s: float,
    start_rad: Array,
    limits: JointLimits,
) -> JointTrajectory:
    """Read and check a joint trajectory.

    Args:
        message: As received; joints in any order.
        joint_names: Joints of the arm, 1 to 7.
        now_s: Simulated time, [s].
        start_rad: Present joints, shape (7,), [rad].
        limits: Joint limits.

    Returns:
        The trajectory, to be started now.

    Raises:
        TrajectoryError: It cannot be followed; the message says why.
    """
    if sorted(message.joint_names) != sorted(joint_names):
        got = ", ".join(message.joint_names) or "none"
        raise TrajectoryError(f"joint_names: expected {', '.join(joint_names)}, got {got}")
    if not message.points:
        # Unlike in ROS 1, nothing that moves is stopped by it.
        raise TrajectoryError("points: expected at least one, got none; to stop the arm, cancel its goal")
    stamp_s = seconds(message.header.stamp)
    if stamp_s > 0 and abs(now_s - stamp_s) > START_S:
        raise TrajectoryError(
            f"header.stamp: expected 0 (start now) or a time within {START_S:g} s of now ({now_s:.3f} s), "
            f"got {stamp_s:.3f} s"
        )
    points = message.points
    order = [message.joint_names.index(name) for name in joint_names]
    times = [seconds(p.time_from_start) for p in points]
    return plan(
        times_s=times,
        positions_rad=_columns("positions", [p.positions for p in points], order),
        velocities_rad_s=_optional("velocities", [p.velocities for p in points], order),
        accelerations_rad_s2=_optional("accelerations", [p.accelerations for p in points], order),
        start_rad=start_rad,
        limits=limits,
    )


def _columns(name: str, rows: list[Sequence[float]], order: list[int]) -> Array:
    sizes = {len(row) for row in rows}
    if sizes != {len(order)}:
        raise TrajectoryError(f"{name}: expected {len(order)} values at every point, got {sorted(sizes)}")
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(order))[:, order]


def _optional(name: str, rows: list[Sequence[float]], order: list[int]) -> Array | None:
    """Velocities and accelerations may be left out, but only at all points."""
    if not any(len(row) for row in rows):
        return None
    return _columns(name, rows, order)
