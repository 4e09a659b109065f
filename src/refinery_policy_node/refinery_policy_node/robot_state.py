"""What the robot says of itself: its mode and errors, from whichever state message its driver publishes."""

from __future__ import annotations

import importlib
from typing import Any

from refinery.errors import ConfigError
from refinery_policy_node.messages import seconds
from refinery_policy_node.samples import RobotSample


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
