"""The policy node in a process of its own, whose callbacks a test can break: ``python breakable_node.py``."""

from __future__ import annotations

import sys
from typing import Any

from refinery_policy_node import node as module
from refinery_policy_node.node import PolicyNode
from refinery_ros.testing.breakable import Breakable


class BreakableNode(Breakable, PolicyNode):
    """Breaks callbacks on request."""

    def more_callbacks(self) -> list[Any]:
        """The report of a change, and the cancellation."""
        return [self._inserts._on_change, self._inserts._server._cancel_callback]

    def methods(self) -> dict[str, Any]:
        """What an insertion calls on its way."""
        inner = {"_feedback": self._inserts, "plug_offset": self._inserts.insertion}
        return inner | ({} if self._resources is None else {"publish_target": self._resources.topics})


if __name__ == "__main__":
    module.PolicyNode = BreakableNode  # type: ignore[misc]
    sys.exit(module.main())
