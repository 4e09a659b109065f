"""The sampler in a process of its own, whose callbacks a test can break: ``python breakable_sampler.py``."""

from __future__ import annotations

import sys
from typing import Any

from refinery_ros.testing.breakable import Breakable
from refinery_sampler_node import node as module
from refinery_sampler_node.node import SamplerNode


class BreakableSampler(Breakable, SamplerNode):
    """Breaks callbacks when told to."""

    def more_callbacks(self) -> list[Any]:
        """The cancellation."""
        return [self._places._server._cancel_callback]

    def methods(self) -> dict[str, Any]:
        """What a placement calls on its way."""
        inner: dict[str, Any] = {"show": self._display}
        if self._resources is not None:
            inner |= {"joints": self._resources.arm, "tool": self._resources.arm, "until_rest": self._resources.halt}
        return inner


if __name__ == "__main__":
    module.SamplerNode = BreakableSampler  # type: ignore[misc]
    sys.exit(module.main())
