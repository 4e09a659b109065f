"""Interleaved timing, so that other load of the machine affects all candidates alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Step = Callable[[], Any]
Prepare = Callable[[], Step]
"""Makes, off the clock, what the next run needs, and returns the run."""


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Durations of one of the timed candidates, by two clocks."""

    seconds: NDArray[np.float64]
    """Each run by the wall clock, [s]."""
    cpu_seconds: NDArray[np.float64]
    """Each run by the processor time of the thread, which does not run while another thread or machine does, [s]."""

    @property
    def median_us(self) -> float:
        """Median by the wall clock, [us]."""
        return float(np.median(self.seconds)) * 1e6

    @property
    def cpu_median_us(self) -> float:
        """Median by the thread's processor time, [us]."""
        return float(np.median(self.cpu_seconds)) * 1e6

    def quantile_us(self, share: float) -> float:
        """Quantile by the wall clock for a share in [0, 1], [us]."""
        return float(np.quantile(self.seconds, share)) * 1e6

    def cpu_quantile_us(self, share: float) -> float:
        """Quantile by the thread's processor time for a share in [0, 1], [us]."""
        return float(np.quantile(self.cpu_seconds, share)) * 1e6


class Stopwatch:
    """Collects durations by both clocks."""

    def __init__(self) -> None:
        self._wall_s: list[float] = []
        self._cpu_ns: list[int] = []

    def time(self, step: Callable[[], T]) -> T:
        """Run and time something, and return what it returns."""
        wall, cpu = time.perf_counter, time.thread_time_ns
        began_s, began_ns = wall(), cpu()
        result = step()
        # Processor time inside, wall clock outside: each reading of a clock costs the other one the same.
        ended_ns, ended_s = cpu(), wall()
        self._wall_s.append(ended_s - began_s)
        self._cpu_ns.append(ended_ns - began_ns)
        return result

    def durations(self, skip: int = 0) -> Durations:
        """Return the durations, without so many first ones."""
        return Durations(
            seconds=np.array(self._wall_s[skip:]), cpu_seconds=1e-9 * np.array(self._cpu_ns[skip:], dtype=np.float64)
        )


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect before, not during: the node does the same for an insertion."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def interleave(
    candidates: dict[str, Prepare], *, rounds: int, warm_up: int = 100, pause_s: float = 0.0
) -> dict[str, Durations]:
    """Time several candidates, one run of each in every round.

    Nothing runs in a loop of its own: each finds the caches as the others left them. With a pause it also finds a
    processor that has slept, which is how the node finds it when it wakes up for a tick.

    Args:
        candidates: Candidates by name.
        rounds: Timed runs of each.
        warm_up: Rounds before them that are not timed and do not pause.
        pause_s: Sleep before each run, [s].

    Returns:
        The durations of each, by name.
    """
    taken = {name: Stopwatch() for name in candidates}
    with no_garbage_collection():
        for number in range(warm_up + rounds):
            for name, prepare in candidates.items():
                step = prepare()
                if pause_s > 0 and number >= warm_up:
                    time.sleep(pause_s)
                taken[name].time(step)
    return {name: watch.durations(skip=warm_up) for name, watch in taken.items()}


def ratio(durations: dict[str, Durations], above: str, below: str) -> float:
    """Ratio of two medians by the wall clock."""
    return durations[above].median_us / durations[below].median_us
