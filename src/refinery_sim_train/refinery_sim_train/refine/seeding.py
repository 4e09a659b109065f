"""Seeds of named random streams that share no draws, so that nothing is tested on the data it was fitted to."""

from __future__ import annotations

import hashlib

import numpy as np

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array
from refinery_sim_train.refine.start_rules import Draw

STREAMS = ("search", "train", "validation", "mixture", "test", "fit", "starts")
"""Names of the streams."""


def stream_seed(task: str, stream: str, seed: int, part: int = 0) -> int:
    """Seed of a named stream of a task: no two share draws, so test episodes are new to everything before them.

    Args:
        task: Name of the task. Tasks of one seed would otherwise have the same hidden errors, in units of their noise,
            and no figure over tasks could count them as independent.
        stream: One of :data:`STREAMS`.
        seed: The run's seed, 0 to 9999.
        part: Round or condition, 0 to 999.

    Returns:
        A seed of 63 bits, by a hash of the four.
    """
    check(stream in STREAMS, "stream", f"one of {', '.join(STREAMS)}", stream)
    check(0 <= seed <= 9999, "seed", "0 to 9999", seed)
    check(0 <= part <= 999, "part", "0 to 999", part)
    digest = hashlib.blake2b(f"{task}/{stream}/{seed}/{part}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def uniform_starts(task: str, box: Box, count: int, stream: str, seed: int, part: int = 0) -> Array:
    """Draw (count, 9) initial states of a stream, uniform over a box; equal arguments give equal states."""
    return box.uniform(count, np.random.default_rng([stream_seed(task, stream, seed, part), 1]))


def drawn_starts(task: str, draw: Draw, count: int, stream: str, seed: int) -> Array:
    """Draw (count, 9) initial states of a stream by a start rule."""
    return draw(count, np.random.default_rng([stream_seed(task, stream, seed, 0), 2]))
