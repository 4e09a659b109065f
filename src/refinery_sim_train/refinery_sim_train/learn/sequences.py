"""Recorded steps as whole episodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def whole_episodes(steps: list[NDArray[np.float32]], length: int) -> NDArray[np.float32]:
    """Stack arrays (B, N), one per step, group of episodes after group, into episodes of a length.

    Args:
        steps: Arrays of the steps; their number is a multiple of ``length``.
        length: Steps of an episode, T.

    Returns:
        Shape (T, groups x B, N).
    """
    groups = [np.stack(steps[start : start + length]) for start in range(0, len(steps), length)]
    return np.concatenate(groups, axis=1)
