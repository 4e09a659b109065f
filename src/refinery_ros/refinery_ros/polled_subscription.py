"""The newest message of a topic, taken when it is wanted: no callback, no wake-up, nothing to fall behind with."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile


class _Unattended(CallbackGroup):
    """Keeps subscriptions out of the executor's wait set.

    A state at 1 kHz would otherwise wake the process a thousand times a second for a policy of 15 Hz, and after a stall
    the executor would run the policy's timer before the callback that brings the state up to date.
    """

    def can_execute(self, entity: Any) -> bool:
        """Tell the executor never to look at these."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Never called, see :meth:`can_execute`."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Never called, see :meth:`can_execute`."""


class Latest:
    """A subscription that is polled.

    Args:
        node: The node.
        topic: Name, relative or not.
        kind: Message type.
        qos: What the node asks for; the depth should be 1.
        source: Who should publish it, for error messages.
    """

    def __init__(self, node: LifecycleNode, topic: str, kind: type[Any], qos: QoSProfile, source: str) -> None:
        self._node = node
        self._message: Any = None
        self._subscription = node.create_subscription(kind, topic, _ignore, qos, callback_group=_Unattended())
        self.kind, self.qos, self.source = kind, qos, source
        self.name: str = self._subscription.topic_name
        """Fully qualified name."""
        self.received = 0
        """Messages taken so far."""

    def poll(self) -> Any:
        """Return the newest message so far, or None if there never was one."""
        handle = self._subscription.handle
        with handle:
            while (taken := handle.take_message(self.kind, False)) is not None:
                self._message = taken[0]
                self.received += 1
        return self._message

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)


def _ignore(message: Any) -> None:
    """Stand in for the callback that rclpy asks for."""
