"""Interleaved timing, so that other load of the machine affects all candidates alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Step = Callable[[], None]
Prepare = Callable[[], Step]
"""Makes, off the clock, what the next run needs, and returns the run."""


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Durations of one of the timed candidates."""

    seconds: NDArray[np.float64]
    """Each run, [s]."""

    @property
    def median_us(self) -> float:
        """Median, [us]."""
        return float(np.median(self.seconds)) * 1e6

    def quantile_us(self, share: float) -> float:
        """Quantile for a share in [0, 1], [us]."""
        return float(np.quantile(self.seconds, share)) * 1e6


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect before, not during: the node does the same for an insertion."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def interleave(candidates: dict[str, Prepare], *, rounds: int, warm_up: int = 100) -> dict[str, Durations]:
    """Time several candidates, one run of each in every round.

    Nothing runs in a loop of its own: each finds the caches as the others left them, which is how the node, too, finds
    them when it wakes up for a tick.

    Args:
        candidates: Candidates by name.
        rounds: Timed runs of each.
        warm_up: Rounds before them that are not timed.

    Returns:
        The durations of each, by name.
    """
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    clock = time.perf_counter
    with no_garbage_collection():
        for _ in range(warm_up + rounds):
            for name, prepare in candidates.items():
                step = prepare()
                began = clock()
                step()
                taken[name].append(clock() - began)
    return {name: Durations(seconds=np.array(values[warm_up:])) for name, values in taken.items()}


def ratio(durations: dict[str, Durations], above: str, below: str) -> float:
    """Ratio of two medians."""
    return durations[above].median_us / durations[below].median_us
