"""Watchdog of the supervisor: ends its nodes if the supervisor itself dies (SIGKILL, a crash).

It is a process of its own and uses the standard library only. Its standard input is a pipe that only the supervisor
writes to: each line is ``+<group>`` or ``-<group>``. When the pipe closes, the process groups that remain are ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

STEPS = ((signal.SIGINT, 5.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 0.0))
"""Signals to send in turn, and how long to wait after each, [s]."""


def alive(group: int) -> bool:
    """Return whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Some systems report this for a group that has only zombies left.
        return False
    return True


def end_groups(groups: list[int]) -> None:
    """End process groups, the last one first: it may need the earlier ones to leave the arm in a safe state."""
    for group in reversed(groups):
        for number, patience_s in STEPS:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
            end = time.monotonic() + patience_s
            while alive(group) and time.monotonic() < end:
                time.sleep(0.02)
            if not alive(group):
                break


def main() -> None:
    """Keep the list of groups until the pipe closes, then end the remaining ones."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.append(group)
        elif group in groups:
            groups.remove(group)
    end_groups(groups)


if __name__ == "__main__":
    main()
