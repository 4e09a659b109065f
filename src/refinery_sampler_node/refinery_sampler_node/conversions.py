"""Between messages and plain numbers."""

from __future__ import annotations

import math

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion
from numpy.typing import ArrayLike, NDArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from refinery.rotations import Poses
from refinery_sampler_node.joint_path import JointPath
from refinery_sampler_node.requests import checked_pose


def pose_to_message(poses: Poses, index: int = 0) -> Pose:
    """Turn one pose of a batch into a message."""
    x, y, z = (float(v) for v in poses.pos_m[index])
    qx, qy, qz, qw = (float(v) for v in poses.quat_xyzw[index])
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def pose_to_stamped(poses: Poses, frame: str, stamp: Time, index: int = 0) -> PoseStamped:
    """Turn one pose of a batch into a stamped message in ``frame``."""
    message = PoseStamped(pose=pose_to_message(poses, index))
    message.header.frame_id, message.header.stamp = frame, stamp
    return message


def pose_from_message(message: PoseStamped, *, base_frame: str, what: str) -> Poses:
    """Check a stamped pose and return it, batch of one; raises RequestError naming ``what``."""
    p, q = message.pose.position, message.pose.orientation
    return checked_pose(
        message.header.frame_id, (p.x, p.y, p.z), (q.x, q.y, q.z, q.w), base_frame=base_frame, what=what
    )


def trajectory_message(path: JointPath, joint_names: tuple[str, ...]) -> JointTrajectory:
    """Turn a way into the message of a joint trajectory controller; a zero stamp means "start now"."""
    # The first point is where the arm is already; a controller starts from its own state.
    rows = zip(path.times_s[1:], path.positions_rad[1:], path.velocities_rad_s[1:], strict=True)
    points = [_point(float(time), q, v) for time, q, v in rows]
    return JointTrajectory(joint_names=list(joint_names), points=points)


def hold_message(joints_rad: NDArray[np.float64], after_s: float, joint_names: tuple[str, ...]) -> JointTrajectory:
    """Make the one-point trajectory that brings the arm to rest at ``joints_rad`` [rad] after ``after_s`` [s]."""
    return JointTrajectory(
        joint_names=list(joint_names), points=[_point(after_s, joints_rad, np.zeros(len(joints_rad)))]
    )


def _point(time_s: float, positions_rad: ArrayLike, velocities_rad_s: ArrayLike) -> JointTrajectoryPoint:
    fraction, seconds = math.modf(time_s)
    return JointTrajectoryPoint(
        positions=np.asarray(positions_rad).tolist(),
        velocities=np.asarray(velocities_rad_s).tolist(),
        time_from_start=Duration(sec=int(seconds), nanosec=min(round(fraction * 1e9), 999_999_999)),
    )
