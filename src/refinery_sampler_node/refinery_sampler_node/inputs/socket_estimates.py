"""The stream of socket estimates, and the mean of those that agree."""

from __future__ import annotations

import dataclasses
import time
from collections import deque

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from refinery.rotations import Poses
from refinery_ros import qos
from refinery_sampler_node.inputs.checked_pose import checked_pose_message
from refinery_sampler_node.inputs.socket_corrections import SocketCorrections
from refinery_sampler_node.inputs.socket_estimate import CONFIRMED, SocketEstimate, consensus
from refinery_sampler_node.request_error import RequestError


class SocketEstimates:
    """Collects socket estimates and averages the newest ones that agree.

    Args:
        node: Gets the subscription.
        topic: geometry_msgs/PoseStamped, reliable.
        base_frame: Frame the estimates must be in.
        window: At most this many are averaged.
        jump_m: Estimates farther apart disagree, [m].
        jump_rad: Estimates rotated by more disagree, [rad].
        symmetry: Order of the rotational symmetry of the part's section.
        max_age_s: Longest time since the newest estimate arrived, [s].
        corrections: Applied to the mean; None for none.
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
        symmetry: int,
        max_age_s: float,
        corrections: SocketCorrections | None = None,
    ) -> None:
        self._corrections = corrections
        self.topic = node.resolve_topic_name(topic)
        self.window = window
        self._node = node
        self._base_frame = base_frame
        self._jump_m, self._jump_rad, self._symmetry = jump_m, jump_rad, symmetry
        self._max_age_s = max_age_s
        self._poses: deque[Poses] = deque(maxlen=window)
        self._problem: RequestError | None = None
        self._bad = 0
        self._arrived_s = 0.0
        self.count = 0
        """Number of estimates so far."""
        self._subscription = node.create_subscription(PoseStamped, topic, self._store, qos.SOCKET_ESTIMATES)

    def _store(self, message: PoseStamped) -> None:
        try:
            self._poses.append(checked_pose_message(message, base_frame=self._base_frame, what=self.topic))
        except RequestError as error:
            self._problem, self._bad = error, self._bad + 1
            return
        self._arrived_s, self.count, self._bad = time.monotonic(), self.count + 1, 0

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)

    def reset(self) -> int:
        """Forget all estimates, as after the socket was moved; returns their number."""
        count = len(self._poses)
        self._poses.clear()
        self._problem, self._bad = None, 0
        return count

    def mean(self) -> SocketEstimate:
        """Average the newest estimates that agree, corrected if there are corrections.

        Raises:
            RequestError: There is none, it is too old, they disagree or drift, or several of the newest are not valid
                poses in the base frame.
        """
        if self._problem is not None and (self._bad >= CONFIRMED or not self._poses):
            raise self._problem
        if not self._poses:
            raise RequestError(
                "NO_SOCKET_POSE",
                f"no message on {self.topic}; start the socket pose estimator, or give socket_pose in the request",
            )
        age = time.monotonic() - self._arrived_s
        if age > self._max_age_s:
            raise RequestError(
                "NO_SOCKET_POSE",
                f"the last message on {self.topic} came {age:.1f} s ago (limit {self._max_age_s} s); "
                "is the socket pose estimator still running?",
            )
        mean = consensus(self._poses, jump_m=self._jump_m, jump_rad=self._jump_rad, symmetry=self._symmetry)
        if self._corrections is None:
            return mean
        return dataclasses.replace(mean, pose=self._corrections.apply(mean.pose))
