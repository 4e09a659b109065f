"""Estimates of the assembly's base, and the socket pose that follows from them or from kinematics."""

from __future__ import annotations

import time
from collections import deque

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from refinery.errors import NotReadyError
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery_assembly_node.parameters import AssemblyParameters
from refinery_ros import qos
from refinery_ros.conversions import pose_from_message, pose_stamped_message


class BaseEstimate:
    """Averages estimates of the base, and publishes the socket pose of the step in progress.

    A socket that is known in the base's frame is published with every estimate of the base, with its stamp; one that is
    known by kinematics at a rate of its own.

    Args:
        node: Gets subscription, publisher and timer.
        profile: Names of frame and topic.
        parameters: Of the node.
    """

    def __init__(self, node: Node, profile: RobotProfile, parameters: AssemblyParameters) -> None:
        self._node, self._frame, self._parameters = node, profile.base_frame, parameters
        self._poses: deque[Poses] = deque(maxlen=parameters.estimate_window)
        self._arrived_s = -np.inf
        self._socket: Poses | None = None
        self._in_base = False
        topic = profile.topics.socket_pose
        self._out = node.create_publisher(PoseStamped, topic.name, qos.topic_qos(topic))
        self._in = node.create_subscription(PoseStamped, parameters.base_pose, self._on_base, qos.SOCKET_ESTIMATES)
        self._timer = node.create_timer(1.0 / parameters.socket_rate_hz, self._on_timer)

    def aim(self, socket: Poses, *, in_base: bool) -> None:
        """Publish a socket pose from now on; see :meth:`refinery_assembly_node.command.Cell.aim`."""
        self._socket, self._in_base = socket, in_base

    def mean(self) -> Poses:
        """Return the mean of the newest estimates, batch of one.

        Raises:
            NotReadyError: There are none, or too old ones.
        """
        age_s = time.monotonic() - self._arrived_s
        if age_s > self._parameters.estimate_max_age_s:
            got = "none yet" if not self._poses else f"the last one {age_s:.1f} s ago"
            raise NotReadyError(
                f"{self._in.topic_name}: expected estimates of the assembly's base, got {got}; is it looked at?"
            )
        quats = np.vstack([pose.quat_xyzw for pose in self._poses])
        # A quaternion and its negative are the same turn.
        quats *= np.sign(quats @ quats[-1])[:, None]
        return Poses.single(np.vstack([pose.pos_m for pose in self._poses]).mean(axis=0), quats.mean(axis=0))

    @property
    def full(self) -> bool:
        """Whether as many estimates as are averaged have come."""
        return len(self._poses) == self._poses.maxlen

    def forget(self) -> None:
        """Average only estimates that are still to come."""
        self._poses.clear()
        self._arrived_s = -np.inf

    def destroy(self) -> None:
        """End the connections."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._in)
        self._node.destroy_publisher(self._out)

    def _on_base(self, message: PoseStamped) -> None:
        pose = pose_from_message(message.pose)
        right = message.header.frame_id == self._frame and bool(np.isfinite([*pose.pos_m[0], *pose.quat_xyzw[0]]).all())
        if not right:
            self._node.get_logger().error(
                f"{self._in.topic_name}: expected a finite pose in {self._frame!r}, got one in "
                f"{message.header.frame_id!r}; it is left out",
                throttle_duration_sec=5.0,
            )
            return
        self._poses.append(pose)
        self._arrived_s = time.monotonic()
        if self._socket is not None and self._in_base:
            self._out.publish(pose_stamped_message(pose @ self._socket, self._frame, message.header.stamp))

    def _on_timer(self) -> None:
        if self._socket is not None and not self._in_base:
            stamp = self._node.get_clock().now().to_msg()
            self._out.publish(pose_stamped_message(self._socket, self._frame, stamp))
