"""A node in which a test can break any callback once. Only tests import this module."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from std_msgs.msg import String

from refinery_ros import qos
from refinery_ros.lifecycle import GuardedCallback, ManagedNode

CALLBACKS = "/breakable/callbacks"
"""std_msgs/String, transient local: JSON with ``names`` of the callbacks and the number of ``breaks`` so far."""
BREAK = "/breakable/break"
"""std_msgs/String: the name of the callback that raises at its next call."""
_REPORT_S = 0.1


class BrokenError(Exception):
    """The exception of a broken callback."""


class Breakable(ManagedNode):
    """Mixin before a node's class: ``class BreakableNode(Breakable, PolicyNode)``."""

    def __init__(self) -> None:
        # The node's own class takes no name.
        super().__init__()  # type: ignore[call-arg]
        self._breaks = 0
        self._report_out = self.create_publisher(String, CALLBACKS, qos.STATUS)
        self.create_subscription(String, BREAK, self._on_break, 10)
        self.create_timer(_REPORT_S, self._report)

    def more_callbacks(self) -> list[Any]:
        """Return callbacks that are neither timers, services, subscriptions nor transitions of the node."""
        return []

    def methods(self) -> dict[str, Any]:
        """Return further methods that can be broken now: the object by the name of its method."""
        return {}

    def _guarded_callbacks(self) -> dict[str, list[GuardedCallback]]:
        # The callbacks of polled subscriptions are never called.
        served = [each for each in self.subscriptions if each.callback_group is self.default_callback_group]
        entities: list[Any] = [*self.timers, *self.services, *served]
        found = [each.callback for each in entities] + [*self._callbacks.values(), *self.more_callbacks()]
        named: dict[str, list[GuardedCallback]] = {}
        for callback in found:
            guarded = getattr(callback, "args", (callback,))[0]
            if not isinstance(guarded, GuardedCallback):
                raise TypeError(f"{guarded} is not guarded")
            if BREAK not in guarded.where and Breakable.__name__ not in guarded.where:
                named.setdefault(guarded.where, []).append(guarded)
        return named

    def _report(self) -> None:
        self._report_out.publish(
            String(data=json.dumps({"names": list(self._guarded_callbacks()), "breaks": self._breaks}))
        )

    def _on_break(self, message: String) -> None:
        for each in self._guarded_callbacks().get(message.data, []):
            _break(each, "callback", message.data)
        if message.data in (methods := self.methods()):
            _break(methods[message.data], message.data, message.data)
        self._breaks += 1
        self._report()


def _break(owner: Any, attribute: str, name: str) -> None:
    whole: Callable[..., Any] = getattr(owner, attribute)

    def broken(*_arguments: Any, **_options: Any) -> Any:
        setattr(owner, attribute, whole)
        raise BrokenError(name)

    setattr(owner, attribute, broken)
