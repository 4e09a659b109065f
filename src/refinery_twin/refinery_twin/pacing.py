"""Paces simulated time by the wall clock, without drift, and measures the achieved factor."""

from __future__ import annotations

import time
from collections.abc import Callable

from refinery.config import check


class Pacer:
    """Sleeps until the absolute deadline of a simulated time.

    Deadlines are absolute, so a late step is caught up by the next ones; a delay longer than ``max_debt_s`` is written
    off instead of being raced after, so that a suspended twin does not come back as a burst of states.

    Args:
        realtime_factor: Simulated seconds per second of wall clock, in [0, 100]; 0 is as fast as possible.
        max_debt_s: Largest delay that is caught up, wall clock, [s].
        now: Monotonic clock, [s].
        sleep: Sleeps for some seconds.
    """

    def __init__(
        self,
        realtime_factor: float,
        *,
        max_debt_s: float = 0.1,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        check(0 <= realtime_factor <= 100, "realtime_factor", "a factor in [0, 100]; 0: unpaced", realtime_factor)
        self._factor = realtime_factor
        self._max_debt_s = max_debt_s
        self._now, self._sleep = now, sleep
        self._origin_wall: float | None = None
        self._origin_sim = 0.0
        self._mark: tuple[float, float] | None = None

    def wait(self, sim_time_s: float) -> None:
        """Sleep until ``sim_time_s`` is due on the wall clock; return at once when it is past."""
        now = self._now()
        if self._origin_wall is None:
            self._origin_wall, self._origin_sim = now, sim_time_s
            self._mark = (now, sim_time_s)
            return
        if self._factor == 0:
            return
        ahead = self._origin_wall + (sim_time_s - self._origin_sim) / self._factor - now
        if ahead > 0:
            self._sleep(ahead)
        elif ahead < -self._max_debt_s:
            self._origin_wall, self._origin_sim = now, sim_time_s

    def achieved(self, sim_time_s: float) -> float:
        """Return the real-time factor since the last call (or since the start); 0 before the first step."""
        now = self._now()
        if self._mark is None or now <= self._mark[0]:
            return 0.0
        factor = (sim_time_s - self._mark[1]) / (now - self._mark[0])
        self._mark = (now, sim_time_s)
        return factor
