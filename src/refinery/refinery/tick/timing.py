"""Durations of the last policy steps and what they say about the budget."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class TimingSummary:
    """Figures over the steps kept."""

    p50_s: float
    """Median duration, [s]."""
    p99_s: float
    """99th percentile, [s]."""
    p999_s: float
    """99.9th percentile, [s]."""
    max_s: float
    """Longest, [s]."""
    misses: int
    """Deadlines missed since the last clear."""


class StepTimes:
    """A ring of step durations, allocated once.

    Args:
        size: Steps kept.
    """

    def __init__(self, size: int = 4096) -> None:
        self._ring = array("d", [0.0] * size)
        self._size = size
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._count = 0
        self._misses = 0

    def add(self, duration_s: float, *, missed: bool = False) -> None:
        """Note one step."""
        self._ring[self._count % self._size] = duration_s
        self._count += 1
        if missed:
            self._misses += 1

    def summary(self) -> TimingSummary:
        """Return the figures; zeros if there was no step."""
        kept = np.array(self._ring[: min(self._count, self._size)])
        if not len(kept):
            return TimingSummary(p50_s=0.0, p99_s=0.0, p999_s=0.0, max_s=0.0, misses=self._misses)
        p50, p99, p999, top = np.percentile(kept, [50, 99, 99.9, 100])
        return TimingSummary(
            p50_s=float(p50), p99_s=float(p99), p999_s=float(p999), max_s=float(top), misses=self._misses
        )
