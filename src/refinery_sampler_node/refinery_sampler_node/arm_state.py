"""The newest measurements of the arm: joints and tool pose, each with the time since it arrived."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

import numpy as np
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

from refinery.errors import NotReadyError
from refinery.rotations import Poses
from refinery_sampler_node.conversions import pose_from_message

Array = NDArray[np.float64]
Message = TypeVar("Message")

# The franka broadcaster publishes best effort at depth 1: a reliable subscriber would get nothing.
SENSOR_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Latest(Generic[Message]):
    """Keeps the newest message of a topic.

    Args:
        node: Gets the subscription.
        kind: Message type.
        topic: Topic.
        qos: Of the subscription.
    """

    def __init__(self, node: Node, kind: type[Message], topic: str, qos: QoSProfile) -> None:
        self.topic = node.resolve_topic_name(topic)
        self._node = node
        self._message: Message | None = None
        self._arrived_s = 0.0
        self.count = 0
        """Messages so far."""
        self._subscription = node.create_subscription(kind, topic, self._store, qos)

    def _store(self, message: Message) -> None:
        self._message, self._arrived_s, self.count = message, time.monotonic(), self.count + 1

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)

    @property
    def age_s(self) -> float:
        """Time since the newest message arrived, infinite if none has, [s]."""
        return time.monotonic() - self._arrived_s if self._message is not None else float("inf")

    def get(self, max_age_s: float) -> Message:
        """Return the newest message.

        Raises:
            NotReadyError: There is none, or it arrived more than ``max_age_s`` ago.
        """
        if self._message is None:
            raise NotReadyError(f"no message on {self.topic}; is the robot (or the twin) up?")
        if self.age_s > max_age_s:
            raise NotReadyError(
                f"the last message on {self.topic} came {self.age_s:.2f} s ago (limit {max_age_s} s); "
                "is the robot still up?"
            )
        return self._message


class ArmState:
    """Reads joints and tool pose.

    Args:
        node: Gets the subscriptions.
        joint_names: Names of the joints, in order.
        base_frame: Frame the tool pose must be in.
        joints_topic: sensor_msgs/JointState.
        pose_topic: geometry_msgs/PoseStamped of the tool.
        max_age_s: Older measurements (by arrival) are not used, [s].
    """

    def __init__(
        self,
        node: Node,
        *,
        joint_names: tuple[str, ...],
        base_frame: str,
        joints_topic: str,
        pose_topic: str,
        max_age_s: float,
    ) -> None:
        self._names = joint_names
        self._base_frame = base_frame
        self._max_age_s = max_age_s
        self._joints = Latest(node, JointState, joints_topic, SENSOR_QOS)
        self._pose = Latest(node, PoseStamped, pose_topic, SENSOR_QOS)

    def destroy(self) -> None:
        """End the subscriptions."""
        self._joints.destroy()
        self._pose.destroy()

    @property
    def count(self) -> int:
        """Joint states so far; tells a new one from one that was read before."""
        return self._joints.count

    @property
    def age_s(self) -> float:
        """Time since the newest joint state arrived, [s]."""
        return self._joints.age_s

    def joints(self, max_age_s: float | None = None) -> tuple[Array, Array]:
        """Measured joints [rad] and velocities [rad/s], shape (7,) each, in the order of the names.

        Args:
            max_age_s: Oldest measurement accepted, [s]; None: as given to the constructor.

        Raises:
            NotReadyError: There is no fresh measurement with all joints in finite numbers.
        """
        message = self._joints.get(self._max_age_s if max_age_s is None else max_age_s)
        index = {name: i for i, name in enumerate(message.name)}
        missing = [name for name in self._names if name not in index]
        if missing:
            raise NotReadyError(
                f"{self._joints.topic}: expected the joint {missing[0]}, got {', '.join(message.name) or 'no names'}; "
                "is this the profile of this robot?"
            )
        order = [index[name] for name in self._names]
        if len(message.position) != len(message.name) or len(message.velocity) != len(message.name):
            raise NotReadyError(f"{self._joints.topic}: expected a position and a velocity for every joint")
        joints, velocities = np.array(message.position)[order], np.array(message.velocity)[order]
        if not (np.isfinite(joints).all() and np.isfinite(velocities).all()):
            raise NotReadyError(f"{self._joints.topic}: expected finite numbers, got {joints}, {velocities}")
        return joints, velocities

    def tool(self) -> Poses:
        """Measured tool pose in the base frame, batch of one.

        Raises:
            NotReadyError: There is no fresh one.
            RequestError: It is in another frame or not a pose.
        """
        message = self._pose.get(self._max_age_s)
        return pose_from_message(message, base_frame=self._base_frame, what=self._pose.topic)
