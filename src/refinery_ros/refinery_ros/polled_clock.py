"""The node's clock as it is now, also where ``/clock`` was published after the executor last took it in."""

from __future__ import annotations

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from refinery_ros import qos
from refinery_ros.conversions import clock_seconds, seconds
from refinery_ros.polled_subscription import PolledSubscription


class PolledClock:
    """Reads the time of a node that polls its inputs: a simulated clock is polled as they are.

    Args:
        node: The node.
        simulated: The node uses simulated time.
    """

    def __init__(self, node: Node, *, simulated: bool) -> None:
        self._node = node
        self.subscription: PolledSubscription | None = None
        """``/clock``; None for real time."""
        if simulated:
            self.subscription = PolledSubscription(node, "/clock", Clock, qos.CLOCK, "simulation")

    def now_s(self) -> float:
        """Return the time, [s]."""
        now_s = clock_seconds(self._node)
        message = None if self.subscription is None else self.subscription.poll()
        return now_s if message is None else max(now_s, seconds(message.clock))

    def destroy(self) -> None:
        """End the subscription."""
        if self.subscription is not None:
            self.subscription.destroy()
