"""The policy node in a process of its own, in which a test can break any callback once: ``python breakable_node.py``.

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
from refinery_policy_node import node as module
from refinery_policy_node.node import PolicyNode

KEPT = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class BrokenError(Exception):
    """What a broken callback raises."""


class BreakableNode(PolicyNode):
    """Breaks callbacks when told to."""

    def __init__(self) -> None:
        super().__init__()
        self._breaks = 0
        self._told = self.create_publisher(String, "/breakable/callbacks", KEPT)
        self.create_subscription(String, "/breakable/break", self._on_break, 10)
        self.create_timer(0.1, self._tell)

    def guarded_callbacks(self) -> dict[str, GuardedCallback]:
        # Those that are polled have a callback that nothing calls.
        heard = [each for each in self.subscriptions if each.callback_group is self.default_callback_group]
        entities = [*self.timers, *self.services, *heard]
        found = [entity.callback for entity in entities] + list(self._callbacks.values())
        inner = [getattr(callback, "args", (callback,))[0] for callback in found]
        found = [*inner, self._inserts._on_change, self._inserts._server._cancel_callback]
        return {each.where: each for each in found if isinstance(each, GuardedCallback)}

    def _tell(self) -> None:
        ours = ("breakable", "BreakableNode")
        names = [name for name in self.guarded_callbacks() if not any(word in name for word in ours)]
        self._told.publish(String(data=json.dumps({"names": names, "breaks": self._breaks})))

    def _on_break(self, message: String) -> None:
        name = message.data
        if name == "insert":
            self._break(self._inserts, "_feedback")
        elif name in ("errors", "publish_target"):
            target = self._inserts.insertion if name == "errors" else self._station.topics
            self._break(target, name)
        else:
            callback = self.guarded_callbacks()[name]
            callback.callback = raising(name, callback, callback.callback)
        self._breaks += 1
        self._tell()

    def _break(self, owner: Any, name: str) -> None:
        whole = getattr(owner, name)

        def broken(*_arguments: Any, **_options: Any) -> Any:
            setattr(owner, name, whole)
            raise BrokenError(name)

        setattr(owner, name, broken)


def raising(name: str, guarded: GuardedCallback, whole: Callable[..., Any]) -> Callable[..., Any]:
    """A callback that raises once."""

    def broken(*_arguments: Any) -> Any:
        guarded.callback = whole
        raise BrokenError(name)

    return broken


if __name__ == "__main__":
    module.PolicyNode = BreakableNode  # type: ignore[misc]
    sys.exit(module.main())
