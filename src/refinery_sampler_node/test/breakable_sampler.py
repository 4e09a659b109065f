"""The sampler in a process of its own, in which a test can break any callback once: ``python breakable_sampler.py``.

It says on ``/breakable/callbacks`` which there are and how many were broken, and takes the name of one to break on
``/breakable/break``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from refinery.ros_lifecycle import GuardedCallback
from refinery_sampler_node import node as module
from refinery_sampler_node.node import SamplerNode

KEPT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OURS = ("breakable", "BreakableSampler")


class BrokenError(Exception):
    """What a broken callback raises."""


class BreakableSampler(SamplerNode):
    """Breaks callbacks when told to."""

    def __init__(self) -> None:
        super().__init__()
        self._breaks = 0
        self._told = self.create_publisher(String, "/breakable/callbacks", KEPT)
        self.create_subscription(String, "/breakable/break", self._on_break, 10)
        self.create_timer(0.1, self._tell)

    def guarded_callbacks(self) -> dict[str, list[GuardedCallback]]:
        entities = [*self.timers, *self.services, *self.subscriptions]
        found = [entity.callback for entity in entities] + list(self._callbacks.values())
        found = [getattr(callback, "args", (callback,))[0] for callback in found]
        named: dict[str, list[GuardedCallback]] = {}
        for each in (*found, self._places._server._cancel_callback):
            if not isinstance(each, GuardedCallback):
                raise TypeError(f"{each} is not guarded")
            if not any(word in each.where for word in OURS):
                named.setdefault(each.where, []).append(each)
        return named

    def _tell(self) -> None:
        self._told.publish(String(data=json.dumps({"names": list(self.guarded_callbacks()), "breaks": self._breaks})))

    def _on_break(self, message: String) -> None:
        for each in self.guarded_callbacks().get(message.data, []):
            self._break(each, "callback")
        inner = {"show": self._display}
        if self._station is not None:
            inner |= {"joints": self._station.arm, "tool": self._station.arm, "until_rest": self._station.halt}
        if message.data in inner:
            self._break(inner[message.data], message.data)
        self._breaks += 1
        self._tell()

    def _break(self, owner: Any, name: str) -> None:
        setattr(owner, name, _raising(owner, name, getattr(owner, name)))


def _raising(owner: Any, name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
    """What raises once."""

    def broken(*_arguments: Any, **_options: Any) -> Any:
        setattr(owner, name, whole)
        raise BrokenError(name)

    return broken


if __name__ == "__main__":
    module.SamplerNode = BreakableSampler  # type: ignore[misc]
    sys.exit(module.main())
