"""Between ROS messages and the numbers of the core."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, WrenchStamped

from refinery.rotations import Poses
from refinery_msgs.msg import GuardReason
from refinery_policy_node.guard import Verdict
from refinery_policy_node.samples import PoseSample, WrenchSample


def seconds(stamp: Time) -> float:
    """Return a stamp in [s]."""
    return float(stamp.sec) + float(stamp.nanosec) * 1e-9


def pose_sample(message: PoseStamped) -> PoseSample:
    """Read a pose as it is, unchecked."""
    position, orientation = message.pose.position, message.pose.orientation
    return PoseSample(
        pos_m=np.array([position.x, position.y, position.z]),
        quat_xyzw=np.array([orientation.x, orientation.y, orientation.z, orientation.w]),
        stamp_s=seconds(message.header.stamp),
    )


def wrench_sample(message: WrenchStamped) -> WrenchSample:
    """Read a wrench as it is, unchecked."""
    force, torque = message.wrench.force, message.wrench.torque
    return WrenchSample(
        wrench=np.array([force.x, force.y, force.z, torque.x, torque.y, torque.z]),
        stamp_s=seconds(message.header.stamp),
    )


def pose_message(pose: Poses, frame: str, stamp: Time) -> PoseStamped:
    """Write a batch of one pose."""
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = frame, stamp
    position, orientation = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = pose.pos_m[0].tolist()
    quat = pose.quat_xyzw[0] / np.linalg.norm(pose.quat_xyzw[0])
    orientation.x, orientation.y, orientation.z, orientation.w = quat.tolist()
    return message


def reason_message(verdict: Verdict) -> GuardReason:
    """Write the reason of a verdict."""
    return GuardReason(value=int(verdict.reason), message=verdict.message)
