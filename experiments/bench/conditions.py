"""What the machine did to a measurement while it ran: time that a host took away, and switches to other threads."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from refinery_ros import realtime
from refinery_sim_train.provenance import provenance

_STAT = Path("/proc/stat")
_STEAL = 7
"""Place of the stolen time among the fields of a processor in /proc/stat."""


class Conditions:
    """Counts from its making on, for the calling thread and the processors it may run on."""

    def __init__(self) -> None:
        self._cpus = os.sched_getaffinity(0)
        self._ticks, self._switches = self._times(), self._involuntary()

    def facts(self) -> dict[str, Any]:
        """Return where and when, how the thread is scheduled, and what happened since the making."""
        origin = provenance(seed=0, env_steps=0)
        spent = [after - before for before, after in zip(self._ticks, self._times(), strict=True)]
        return {
            "commit": origin["git_revision"],
            "date": origin["date"],
            "machine": origin["machine"],
            "scheduling": realtime.description(),
            "load": round(os.getloadavg()[0], 1),
            "steal_share": round(spent[_STEAL] / max(1, sum(spent)), 5),
            "involuntary_switches": self._involuntary() - self._switches,
        }

    def _times(self) -> list[int]:
        """Sum the fields user, nice, system, idle, iowait, irq, softirq and steal over the processors."""
        names = {f"cpu{number}" for number in self._cpus}
        lines = [line.split() for line in _STAT.read_text(encoding="ascii").splitlines()]
        rows = [[int(value) for value in words[1:9]] for words in lines if words[0] in names]
        return [sum(column) for column in zip(*rows, strict=True)]

    def _involuntary(self) -> int:
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


@contextmanager
def scheduled(wanted: realtime.Realtime) -> Iterator[Conditions]:
    """Schedule the calling thread for the length of a ``with``.

    Raises:
        RefineryError: The system does not permit it.
    """
    schedule = realtime.ThreadSchedule(wanted)
    try:
        yield Conditions()
    finally:
        schedule.restore()
