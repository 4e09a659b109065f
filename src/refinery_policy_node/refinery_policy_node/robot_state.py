"""What the robot says of itself: its mode and errors, from whichever state message its driver publishes.

The message is large (rclpy takes most of a millisecond to turn it into Python objects) and its mode changes seldom.
Therefore a timer reads it, and a policy tick only looks at what was read last.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode

from refinery.errors import ConfigError
from refinery.tick.samples import RobotSample
from refinery_policy_node.messages import seconds
from refinery_ros.polled_subscription import Latest

READ_EVERY_S = 0.02
"""The robot's state is read this often, [s]."""
OVERDUE_S = 0.05
"""After this long without a reading whoever asks reads, for then the executor has stalled (or nothing runs), [s]. Well
below the age at which the guard stops, which must tell a silent robot from a busy computer."""


def message_type(name: str) -> type[Any]:
    """Import a message type, written ``package/msg/Name``.

    Raises:
        ConfigError: There is no such type on this machine; the message says what to do.
    """
    package, _, kind = name.split("/")
    try:
        found: type[Any] = getattr(importlib.import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError) as error:
        hint = f"source the workspace that has {package}, or name another type in the robot profile"
        raise ConfigError("robot profile", "topics.robot_state.type", name, f"{error}", hint) from None
    return found


def robot_sample(message: Any) -> RobotSample:
    """Read mode and errors; the FR3's message and the Panda forks' name these two fields alike."""
    flags = message.current_errors
    # __slots__ has every field, underscore first; its getter is slower than the attribute.
    errors = tuple(name.lstrip("_") for name in flags.__slots__ if getattr(flags, name) is True)
    return RobotSample(mode=int(message.robot_mode), errors=errors, stamp_s=seconds(message.header.stamp))


class RobotState:
    """The last reading of the robot's state.

    Args:
        node: Gives the timer.
        latest: The topic.
        now_s: The node's clock, [s].
    """

    def __init__(self, node: LifecycleNode, latest: Latest, now_s: Callable[[], float]) -> None:
        self._node, self._latest, self._now_s = node, latest, now_s
        self._sample: RobotSample | None = None
        self._read_s = -OVERDUE_S
        self._parsed = 0
        self._timer = node.create_timer(READ_EVERY_S, self.read)
        self._timer.cancel()

    def read_ahead(self, on: bool) -> None:
        """Begin or end to read by the timer; without it whoever asks reads."""
        if on:
            self._timer.reset()
        else:
            self._timer.cancel()

    def read(self) -> None:
        """Take the newest message, if there is one, and read it."""
        message = self._latest.poll()
        self._read_s = self._now_s()
        if message is not None and self._latest.received != self._parsed:
            self._sample, self._parsed = robot_sample(message), self._latest.received

    def sample(self, now_s: float) -> RobotSample | None:
        """Return the last reading at a time of the node's clock, [s]; None if there never was a message."""
        if self._sample is None or not 0.0 <= now_s - self._read_s < OVERDUE_S:
            self.read()
        return self._sample

    def destroy(self) -> None:
        """End the timer."""
        self._node.destroy_timer(self._timer)
