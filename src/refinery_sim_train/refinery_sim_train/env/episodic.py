"""What the refinement loop needs from an environment: whole episodes that start where it says, and their outcomes.

The insertion environment is one; a task of another simulator can be one too.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array
from refinery.success import PlugOffset
from refinery.task import Task
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.physics import Simulator
from refinery_sim_train.env.episodes import Episodes

PRIVILEGED_SIZE = 13
"""Extra values the critic sees: true plug pose, bias of the estimate, external push."""


class Episodic(Protocol):
    """A batch of B environments of one task; nothing restarts by itself."""

    task: Task
    """The insertion task."""
    count: int
    """Number of environments B."""
    step_index: NDArray[np.int64]
    """Policy steps taken in the present episodes, shape (B,)."""

    @property
    def simulator(self) -> Simulator:
        """What steps the physics."""

    def reset(self, episodes: Episodes, index: NDArray[np.intp] | None = None) -> None:
        """Start episodes, one for each environment of ``index`` (all by default)."""

    def get_observations(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Observe; call it exactly once per policy step, since it takes in a socket estimate.

        Returns:
            Policy observations (B, N) and privileged observations (B, :data:`PRIVILEGED_SIZE`).
        """

    def step(self, action: Array) -> tuple[Array, PlugOffset, NDArray[np.bool_], NDArray[np.bool_]]:
        """Apply actions (B, 6) for one policy step.

        Returns:
            Rewards (B,), true plug offsets, strict success now (B,), engaged at any step so far (B,).
        """

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, as plain arrays."""

    def restore(self, arrays: Arrays) -> None:
        """Go back to a :meth:`snapshot` of an environment of the same task and count."""
