"""The result of one policy tick, which the runtime makes and the recording keeps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses
from refinery.tick.guard import Verdict


class TickResult(NamedTuple):
    """What a tick decided."""

    target: Poses
    """Pose of the tool to command, base frame, batch of one."""
    verdict: Verdict
    """The guard's verdict."""
    step: int
    """Ticks done in this episode, this one included."""
    done: bool
    """Whether the episode's time is over or the guard has stopped it."""
    observation: NDArray[np.float32] | None = None
    """What the policy saw, shape (1, N); None if the guard let nothing in."""
    action: NDArray[np.float64] | None = None
    """What the policy answered, shape (1, 6)."""
