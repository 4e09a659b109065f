"""The policy of a bundle, as it is deployed, for many episodes at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import OnnxPolicy
from refinery.rotations import Array


class ShippedPolicy:
    """A bundle's policy, as deployed, in many episodes at once.

    Args:
        path: Policy file of the bundle.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sessions = [OnnxPolicy(path)]

    def reset(self) -> None:
        """Clear the memory, at the start of new episodes."""
        for session in self._sessions:
            session.reset()

    def act(self, observation: NDArray[np.float32]) -> Array:
        """Map observations (B, N) to actions (B, 6)."""
        # A policy with a memory needs one for every episode.
        wanted = len(observation) if self._sessions[0].recurrent else 1
        while len(self._sessions) < wanted:
            self._sessions.append(OnnxPolicy(self._path))
        return np.concatenate([self._sessions[i % wanted](row[None]) for i, row in enumerate(observation)])
