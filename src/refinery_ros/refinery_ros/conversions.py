"""Conversions between ROS messages and plain numbers, used by every node."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion
from rclpy.node import Node

from refinery.rotations import Poses, Quat, Vec3

_NS_PER_S = 1_000_000_000


class TimeMessage(Protocol):
    """``builtin_interfaces/Time`` or ``builtin_interfaces/Duration``."""

    sec: int
    nanosec: int


def seconds(message: TimeMessage) -> float:
    """Return a stamp or a duration in [s]."""
    return float(message.sec) + float(message.nanosec) * 1e-9


def duration_message(time_s: float) -> Duration:
    """Return a time [s] as a message, rounded to the nanosecond."""
    sec, nanosec = divmod(round(time_s * _NS_PER_S), _NS_PER_S)
    return Duration(sec=sec, nanosec=nanosec)


def clock_seconds(node: Node) -> float:
    """Return the present time of a node's clock, [s]."""
    return float(node.get_clock().now().nanoseconds) * 1e-9


def pose_numbers(message: Pose) -> tuple[Vec3, Quat]:
    """Return position [m] and quaternion xyzw of a message, unchecked."""
    p, q = message.position, message.orientation
    return (p.x, p.y, p.z), (q.x, q.y, q.z, q.w)


def pose_from_message(message: Pose) -> Poses:
    """Read a pose, batch of one, unchecked; an all-zero quaternion is the identity, as in MoveIt."""
    xyz, quat = pose_numbers(message)
    return Poses(pos_m=np.array([xyz]), quat_xyzw=np.array([quat if any(quat) else (0.0, 0.0, 0.0, 1.0)]))


def pose_message(poses: Poses, index: int = 0) -> Pose:
    """Return one pose of a batch as a message."""
    x, y, z = poses.pos_m[index].tolist()
    qx, qy, qz, qw = poses.quat_xyzw[index].tolist()
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def pose_stamped_message(poses: Poses, frame: str, stamp: Time, index: int = 0) -> PoseStamped:
    """Return one pose of a batch as a stamped message in a frame."""
    message = PoseStamped(pose=pose_message(poses, index))
    message.header.frame_id, message.header.stamp = frame, stamp
    return message
