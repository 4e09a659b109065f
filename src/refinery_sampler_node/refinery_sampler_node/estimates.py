"""The stream of socket estimates and its running mean."""

from __future__ import annotations

import time
from collections import deque

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile

from refinery_sampler_node.conversions import pose_from_message
from refinery_sampler_node.requests import RequestError
from refinery_sampler_node.socket_estimate import SocketEstimate, recent_mean


class SocketEstimates:
    """Collects socket estimates and averages the newest.

    Args:
        node: Gets the subscription.
        topic: geometry_msgs/PoseStamped, reliable.
        base_frame: Frame the estimates must be in.
        window: At most this many are averaged.
        jump_m: Farther from the newest is another place, [m].
        jump_rad: Turned farther is another place, [rad].
        max_age_s: An older newest estimate (by arrival) is refused, [s].
    """

    def __init__(
        self,
        node: Node,
        *,
        topic: str,
        base_frame: str,
        window: int,
        jump_m: float,
        jump_rad: float,
        max_age_s: float,
    ) -> None:
        self.topic = node.resolve_topic_name(topic)
        self.window = window
        self._node = node
        self._base_frame = base_frame
        self._jump_m, self._jump_rad, self._max_age_s = jump_m, jump_rad, max_age_s
        self._messages: deque[PoseStamped] = deque(maxlen=window)
        self._arrived_s = 0.0
        self._subscription = node.create_subscription(PoseStamped, topic, self._store, QoSProfile(depth=10))

    def _store(self, message: PoseStamped) -> None:
        self._messages.append(message)
        self._arrived_s = time.monotonic()

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)

    def reset(self) -> int:
        """Forget all estimates (the socket was moved); returns how many there were."""
        count = len(self._messages)
        self._messages.clear()
        return count

    def mean(self) -> SocketEstimate:
        """Average the newest estimates that agree with the very newest.

        Raises:
            RequestError: There is none, it is too old, or one of them is not a pose in the base frame.
        """
        if not self._messages:
            raise RequestError(
                "NO_SOCKET_POSE",
                f"no message on {self.topic}; start what estimates the socket pose, or give socket_pose in the request",
            )
        age = time.monotonic() - self._arrived_s
        if age > self._max_age_s:
            raise RequestError(
                "NO_SOCKET_POSE",
                f"the last message on {self.topic} came {age:.1f} s ago (limit {self._max_age_s} s); "
                "is what estimates the socket pose still up?",
            )
        poses = [pose_from_message(each, base_frame=self._base_frame, what=self.topic) for each in self._messages]
        return recent_mean(poses, jump_m=self._jump_m, jump_rad=self._jump_rad)
