"""The fault that stops simulated time, which only the wall clock can end."""

from __future__ import annotations

import time
from collections.abc import Callable

from refinery_twin.faults.schedule import FaultSchedule

CLOCK_STOP = "clock_stop"
"""The kind of fault."""


class StoppedClock:
    """Decides whether simulated time is stopped, and ends the fault after its duration by the wall clock.

    Args:
        faults: The injected faults.
        now: Monotonic clock, [s].
    """

    def __init__(self, faults: FaultSchedule, now: Callable[[], float] = time.monotonic) -> None:
        self._faults, self._now = faults, now
        self._since_s: float | None = None

    def on(self, time_s: float) -> bool:
        """Return whether time is stopped at a time of the simulation, [s]."""
        stops = [fault for fault in self._faults.active(time_s) if fault.kind == CLOCK_STOP]
        if not stops:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = self._now()
        over = [fault for fault in stops if self._now() - self._since_s >= fault.lasts_wall_s]
        for fault in over:
            self._faults.end(fault)
        return len(over) < len(stops)
