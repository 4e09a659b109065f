"""Whether a clock goes on: a ROS clock that follows ``/clock`` may stop, and what runs on it then never notices."""

from __future__ import annotations

import math


class ClockWatch:
    """Compares a clock with the steady one.

    Args:
        patience_s: Standing still for so long of steady time counts as stopped, [s].
    """

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._last_s = math.nan
        self._changed_s = 0.0
        self._still_s = 0.0

    def look(self, now_s: float, steady_s: float) -> bool:
        """Take in a reading of both clocks.

        Args:
            now_s: The watched clock, [s].
            steady_s: The steady clock (``time.monotonic()``), [s].

        Returns:
            Whether the watched clock has stood still for longer than the patience.
        """
        if now_s != self._last_s:
            self._last_s, self._changed_s = now_s, steady_s
        self._still_s = steady_s - self._changed_s
        return self.stopped

    @property
    def stopped(self) -> bool:
        """Whether the clock stood still at the last look."""
        return self._still_s > self.patience_s

    @property
    def message(self) -> str:
        """What is wrong, in one sentence with the time that the clock has stood still."""
        return f"the clock has stood still for {self._still_s:.1f} s; is /clock published and the simulation running?"
