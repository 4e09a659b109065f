"""The correction of socket estimates that the policy node publishes, if it is one for the loaded task."""

from __future__ import annotations

import math

from rclpy.node import Node

from refinery.calibration import CalibrationSpec, Correction
from refinery.rotations import Poses
from refinery.task import Task
from refinery_msgs.msg import SocketCorrection
from refinery_ros import qos

TOPIC = "socket_correction"


class SocketCorrections:
    """Applies the newest correction that fits; one that does not is ignored, and :attr:`description` says why.

    Args:
        node: Gets the subscription.
        task: The loaded task.
        base_frame: Frame of the estimates.
    """

    def __init__(self, node: Node, *, task: Task, base_frame: str) -> None:
        self._node, self._task, self._base_frame = node, task, base_frame
        self._correction: Correction | None = None
        self._subscription = node.create_subscription(SocketCorrection, TOPIC, self._store, qos.STATUS)
        self.description = f"the socket estimate is not corrected: no message on {self._subscription.topic_name}"
        """What is done to the estimates, in words."""

    def apply(self, estimate: Poses) -> Poses:
        """Correct socket estimates in the base frame, any batch."""
        return estimate if self._correction is None else self._correction.apply(estimate)

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)

    def _store(self, message: SocketCorrection) -> None:
        if problem := self._problem(message):
            self._correction = None
            self.description = f"the socket estimate is not corrected: {self._subscription.topic_name}: {problem}"
            self._node.get_logger().warning(self.description)
            return
        self._correction = Correction(
            offset_m=(message.x_m, message.y_m),
            std_m=message.std_m,
            observations=message.observations,
            applied=message.applied,
        )
        self.description = message.message

    def _problem(self, message: SocketCorrection) -> str:
        """Why a correction is not to be applied; empty if it is."""
        if message.task != self._task.name:
            return f"task: expected {self._task.name!r}, which is loaded, got {message.task!r}"
        frame = message.header.frame_id
        if frame != self._base_frame:
            return f"frame_id: expected {self._base_frame!r}, got {frame!r}"
        length, limit_m = math.hypot(message.x_m, message.y_m), CalibrationSpec.of(self._task).limit_m
        # Also false if it is no number.
        if not length <= limit_m * (1 + 1e-6):
            return f"expected at most {1e3 * limit_m:.2f} mm for this task, got {1e3 * length:.2f} mm"
        return ""
