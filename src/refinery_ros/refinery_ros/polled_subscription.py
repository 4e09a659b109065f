"""The newest message of a topic, taken when it is needed, with its age."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile

from refinery.errors import NotReadyError


class _NeverExecuted(CallbackGroup):
    """Keeps subscriptions out of the executor's wait set.

    A state at 1 kHz would otherwise wake the process a thousand times a second for a policy of 15 Hz, and after a stall
    the executor would run the policy's timer before the callback that brings the state up to date.
    """

    def can_execute(self, entity: Any) -> bool:
        """Exclude the subscription from the executor."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Never called, see :meth:`can_execute`."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Never called, see :meth:`can_execute`."""


class PolledSubscription:
    """A subscription that is polled instead of served by the executor.

    Args:
        node: The node.
        topic: Name, relative or not.
        kind: Message type.
        qos: Requested quality of service; the depth should be 1 unless several publishers share the topic.
        source: The publisher, for error messages.
        accept: Messages for which it returns False are passed over; None accepts all.
        raw: Take the messages as they are serialized, as bytes.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        kind: type[Any],
        qos: QoSProfile,
        source: str,
        accept: Callable[[Any], bool] | None = None,
        *,
        raw: bool = False,
    ) -> None:
        self._node, self._raw = node, raw
        self._message: Any = None
        self._arrived_s = -math.inf
        self._subscription = node.create_subscription(kind, topic, _ignore, qos, callback_group=_NeverExecuted())
        self._accept = accept
        self.kind, self.qos, self.source = kind, qos, source
        self.name: str = self._subscription.topic_name
        """Fully qualified name."""
        self.received = 0
        """Messages accepted so far, as of the last :meth:`poll`."""

    def poll(self) -> Any:
        """Return the newest message so far, or None if there never was one."""
        handle = self._subscription.handle
        with handle:
            while (taken := handle.take_message(self.kind, self._raw)) is not None:
                message, info = taken
                if self._accept is not None and not self._accept(message):
                    continue
                self._message, arrived_ns = message, info["received_timestamp"]
                # 0 from middleware that does not report the time of reception.
                waited_s = max(0.0, time.time() - 1e-9 * arrived_ns) if arrived_ns else 0.0
                self._arrived_s = time.monotonic() - waited_s
                self.received += 1
        return self._message

    @property
    def age_s(self) -> float:
        """Time since the newest message arrived, by the steady clock, [s]; infinite if there never was one."""
        self.poll()
        return time.monotonic() - self._arrived_s

    def fresh(self, max_age_s: float) -> Any:
        """Return the newest message.

        Args:
            max_age_s: Longest time since it arrived, [s].

        Raises:
            NotReadyError: There never was one, or it is older.
        """
        age_s = self.age_s
        if self._message is None:
            raise NotReadyError(f"no message on {self.name}; is the {self.source} running?")
        if age_s > max_age_s:
            raise NotReadyError(
                f"the last message on {self.name} arrived {age_s:.2f} s ago (limit {max_age_s} s); "
                f"is the {self.source} still running?"
            )
        return self._message

    def destroy(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)


def _ignore(message: Any) -> None:
    """Take the place of the callback that rclpy requires."""
