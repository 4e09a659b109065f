"""The robot's mode and errors, from the state message that its driver publishes.

The message is large and the mode changes seldom. Therefore a timer reads it, and a policy tick uses the last reading.
It is read without making Python objects of hundreds of numbers, which takes rclpy half a period of a tick at 1 kHz.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.serialization import deserialize_message

from refinery.errors import ConfigError
from refinery.tick.samples import RobotSample
from refinery_ros.cdr_fields import CdrFields
from refinery_ros.conversions import seconds
from refinery_ros.polled_subscription import PolledSubscription

READ_EVERY_S = 0.02
"""The robot's state is read this often, [s]."""
OVERDUE_S = 0.05
"""A reading older than this is renewed on demand, [s]: the executor has stalled, or nothing runs. It is well below the
age at which the guard stops, which must distinguish a silent robot from a busy computer."""

_SEC, _NANOSEC, _MODE, _ERRORS = "header.stamp.sec", "header.stamp.nanosec", "robot_mode", "current_errors."


def message_type(name: str) -> type[Any]:
    """Import a message type, written ``package/msg/Name``.

    Raises:
        ConfigError: The type is not installed; the message says what to do.
    """
    package, _, kind = name.split("/")
    try:
        found: type[Any] = getattr(importlib.import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError) as error:
        hint = f"source the workspace that has {package}, or name another type in the robot profile"
        raise ConfigError("robot profile", "topics.robot_state.type", name, f"{error}", hint) from None
    return found


def robot_sample(message: Any) -> RobotSample:
    """Read mode and errors of a message; these two fields have the same names for the FR3 and the Panda forks."""
    flags = message.current_errors
    # __slots__ has every field, underscore first; its getter is slower than the attribute.
    errors = tuple(name.lstrip("_") for name in flags.__slots__ if getattr(flags, name) is True)
    return RobotSample(mode=int(message.robot_mode), errors=errors, stamp_s=seconds(message.header.stamp))


class StateReader:
    """Reads mode and errors of serialized messages.

    Args:
        kind: The message type.
    """

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._fields: CdrFields | None = None
        # A fork's message may hold what cannot be passed over: then all of it is read.
        with contextlib.suppress(ValueError):
            self._fields = CdrFields(kind, [_SEC, _NANOSEC, _MODE, f"{_ERRORS}*"])

    def read(self, data: bytes) -> RobotSample:
        """Read one message."""
        if self._fields is not None:
            # A middleware may serialize in another way, too.
            with contextlib.suppress(ValueError):
                return self._sample(self._fields.read(data))
        return robot_sample(deserialize_message(data, self._kind))

    def _sample(self, values: dict[str, Any]) -> RobotSample:
        stamp_s = values.pop(_SEC) + 1e-9 * values.pop(_NANOSEC)
        mode = values.pop(_MODE)
        # What is left are the errors.
        errors = tuple([name.removeprefix(_ERRORS) for name, present in values.items() if present])
        return RobotSample(mode=mode, errors=errors, stamp_s=stamp_s)


class RobotState:
    """The last reading of the robot's state.

    Args:
        node: Gives the timer.
        topic: The subscription, of serialized messages.
        now_s: The node's clock, [s].
    """

    def __init__(self, node: LifecycleNode, topic: PolledSubscription, now_s: Callable[[], float]) -> None:
        self._node, self._topic, self._now_s = node, topic, now_s
        self._reader = StateReader(topic.kind)
        self._sample: RobotSample | None = None
        self._read_s = -OVERDUE_S
        self._parsed = 0
        self._timer = node.create_timer(READ_EVERY_S, self.read)
        self._timer.cancel()

    def read_ahead(self, on: bool) -> None:
        """Start or stop the timer; without it the state is read on demand."""
        if on:
            self._timer.reset()
        else:
            self._timer.cancel()

    def read(self) -> None:
        """Take the newest message, if there is one, and read it."""
        message = self._topic.poll()
        self._read_s = self._now_s()
        if message is not None and self._topic.received != self._parsed:
            self._sample, self._parsed = self._reader.read(message), self._topic.received

    def sample(self, now_s: float) -> RobotSample | None:
        """Return the reading at a time of the node's clock, [s]; None if there never was a message."""
        if self._sample is None or not 0.0 <= now_s - self._read_s < OVERDUE_S:
            self.read()
        return self._sample

    def destroy(self) -> None:
        """End the timer."""
        self._node.destroy_timer(self._timer)
