"""The result of one policy tick, which the runtime makes and the recording keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinery.tick.guard.decision import GuardDecision
from refinery.tick.pose import Pose


class TickResult:
    """What a tick decided.

    Args:
        target: Pose of the tool to command, base frame.
        decision: The guard's decision.
        step: Ticks done in this episode, this one included.
        done: Whether the episode's time is over or the guard has stopped it.
        observation: What the policy saw, shape (1, N); None if the guard let nothing in. It is the array that the
            policy reads, valid until the next tick: whoever keeps it copies it.
        action: What the policy answered, six numbers; None if it was not asked.
        missed: Whether the tick counted as late.
    """

    __slots__ = ("action", "decision", "done", "missed", "observation", "step", "target")

    def __init__(
        self,
        *,
        target: Pose,
        decision: GuardDecision,
        step: int,
        done: bool,
        observation: NDArray[np.float32] | None = None,
        action: list[float] | None = None,
        missed: bool = False,
    ) -> None:
        self.target = target
        self.decision = decision
        self.step = step
        self.done = done
        self.observation = observation
        self.action = action
        self.missed = missed
