"""Planned faults, and those active at a time of the simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from refinery.errors import RefineryError
from refinery_twin.faults.kinds import KINDS, STREAMS


class FaultError(RefineryError):
    """A fault cannot be injected; the message says why and names the alternatives."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A planned fault."""

    kind: str
    """Name in :data:`refinery_twin.faults.KINDS`."""
    streams: tuple[str, ...]
    """Streams that it affects; none for faults of the whole cell."""
    begins_s: float
    """Simulated time of its begin, [s]."""
    ends_s: float
    """Simulated time of its end, [s]; may be infinite."""
    lasts_wall_s: float = math.inf
    """Duration by the wall clock, [s]; only kinds that stop simulated time end by it."""
    magnitude: float
    """Magnitude, in the kind's unit."""


class FaultSchedule:
    """The injected faults."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def __bool__(self) -> bool:
        """Whether any fault is planned or active."""
        return bool(self._planned)

    def plan(
        self,
        kind: str,
        stream: str,
        *,
        now_s: float,
        delay_s: float = 0.0,
        duration_s: float = 0.0,
        magnitude: float = 0.0,
    ) -> Fault:
        """Plan a fault.

        Args:
            kind: Kind of the fault.
            stream: Where; empty: everywhere the kind can strike.
            now_s: Simulated time, [s].
            delay_s: From now until it begins, [s].
            duration_s: How long it lasts, [s], by the kind's clock; 0: until :meth:`clear`.
            magnitude: How strong; 0: the kind's default.

        Returns:
            The fault.

        Raises:
            FaultError: There is no such kind or stream, or a number is out of range.
        """
        if kind not in KINDS:
            raise FaultError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
        if stream and stream not in KINDS[kind].streams:
            where = ", ".join(KINDS[kind].streams) or "none: it concerns the whole cell"
            raise FaultError(f"stream: {kind} can strike {where}, got {stream!r}")
        for name, value in (("delay_s", delay_s), ("duration_s", duration_s), ("magnitude", magnitude)):
            if not math.isfinite(value) or value < 0:
                raise FaultError(f"{name}: expected a finite number >= 0, got {value}")
        begins_s, lasts_s = now_s + delay_s, duration_s or math.inf
        by_wall_clock = KINDS[kind].by_wall_clock
        fault = Fault(
            kind=kind,
            streams=(stream,) if stream else KINDS[kind].streams,
            begins_s=begins_s,
            ends_s=math.inf if by_wall_clock else begins_s + lasts_s,
            lasts_wall_s=lasts_s if by_wall_clock else math.inf,
            magnitude=magnitude or KINDS[kind].default,
        )
        self._planned.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults, also planned ones."""
        self._planned.clear()

    def end(self, fault: Fault) -> None:
        """End one fault that is planned or active."""
        self._planned.remove(fault)

    def active(self, now_s: float) -> list[Fault]:
        """Return the active faults, and drop those that have ended."""
        self._planned = [fault for fault in self._planned if fault.ends_s > now_s]
        return [fault for fault in self._planned if fault.begins_s <= now_s]

    def on(self, kind: str, now_s: float) -> bool:
        """Return whether a fault of a kind is active."""
        return any(fault.kind == kind for fault in self.active(now_s))


assert {stream for kind in KINDS.values() for stream in kind.streams} == set(STREAMS)
