"""Disjoint streams of random seeds, so that nothing is ever tested on what it was made from."""

from __future__ import annotations

import numpy as np

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array
from refinery_sim_train.refine.start_rules import Draw

_STREAMS = {"search": 1, "train": 2, "validation": 3, "mixture": 4, "test": 5, "fit": 6, "starts": 7}


def stream_seed(stream: str, seed: int, part: int = 0) -> int:
    """Seed of a named stream: streams never share draws, so test episodes are new to everything before them.

    Args:
        stream: One of search, train, validation, mixture, test, fit, starts.
        seed: The run's seed, 0 to 9999.
        part: Round or condition, 0 to 999.

    Returns:
        A seed unique to the three.
    """
    check(0 <= seed <= 9999, "seed", "0 to 9999", seed)
    check(0 <= part <= 999, "part", "0 to 999", part)
    return _STREAMS[stream] * 100_000_000 + seed * 1000 + part


def uniform_starts(box: Box, count: int, stream: str, seed: int, part: int = 0) -> Array:
    """Draw (count, 9) initial states of a stream, uniform over a box; the same for everybody who asks."""
    return box.uniform(count, np.random.default_rng([stream_seed(stream, seed, part), 1]))


def drawn_starts(draw: Draw, count: int, stream: str, seed: int) -> Array:
    """Draw (count, 9) initial states of a stream by a start rule."""
    return draw(count, np.random.default_rng([stream_seed(stream, seed, 0), 2]))
