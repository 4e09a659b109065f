"""Detects a stopped clock: timers on a ROS clock that follows ``/clock`` never fire when it stops."""

from __future__ import annotations

import math


class ClockWatch:
    """Compares a clock with the steady one.

    Args:
        patience_s: A clock that has not changed for this long, by the steady clock, has stopped, [s].
    """

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._last_s = math.nan
        self._changed_s = 0.0
        self._still_s = 0.0

    def look(self, now_s: float, steady_s: float) -> bool:
        """Process a reading of both clocks.

        Args:
            now_s: The watched clock, [s].
            steady_s: The steady clock (``time.monotonic()``), [s].

        Returns:
            Whether the watched clock has stopped.
        """
        if now_s != self._last_s:
            self._last_s, self._changed_s = now_s, steady_s
        self._still_s = steady_s - self._changed_s
        return self.stopped

    @property
    def stopped(self) -> bool:
        """Whether the clock had stopped at the last reading."""
        return self._still_s > self.patience_s

    @property
    def message(self) -> str:
        """The problem in one sentence, with the time since the clock stopped."""
        return f"the clock has stood still for {self._still_s:.1f} s; is /clock published and the simulation running?"
