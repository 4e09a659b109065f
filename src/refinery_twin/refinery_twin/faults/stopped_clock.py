"""Simulated time that stands still: the one fault that no moment of the simulation can end."""

from __future__ import annotations

import time
from collections.abc import Callable

from refinery_twin.faults.schedule import FaultSchedule

CLOCK_STOP = "clock_stop"
"""The kind of fault."""


class StoppedClock:
    """Tells whether simulated time stands still, and ends the fault after its duration by the clock on the wall.

    Args:
        faults: What was asked for.
        now: Monotonic clock, [s].
    """

    def __init__(self, faults: FaultSchedule, now: Callable[[], float] = time.monotonic) -> None:
        self._faults, self._now = faults, now
        self._since_s: float | None = None

    def on(self, time_s: float) -> bool:
        """Tell whether time stands still at a moment of the simulation, [s]."""
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
