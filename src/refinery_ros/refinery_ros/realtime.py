"""Scheduling of the thread that runs the policy: a real-time policy, locked memory and a processor of its own.

Everything is refused, with what to do about it, where the system does not permit it: a node that was asked for
real-time scheduling must not run without.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
from dataclasses import dataclass

from refinery.config import check
from refinery.errors import ConfigError, NotReadyError

POLICIES = {"other": os.SCHED_OTHER, "fifo": os.SCHED_FIFO}
"""Scheduling policies by the name that a parameter has."""
ANY_CPU = -1
_MCL_CURRENT, _MCL_FUTURE = 1, 2
_LIMITS = "/etc/security/limits.conf"


@dataclass(frozen=True, kw_only=True)
class Realtime:
    """How a thread is scheduled."""

    policy: str = "other"
    """A key of :data:`POLICIES`."""
    priority: int = 80
    """Priority under ``fifo``, [1, 99]."""
    lock_memory: bool = False
    """Keep all pages of the process in memory (mlockall), so that none is fetched during a tick."""
    cpu: int = ANY_CPU
    """Processor to run on; -1 for any."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.policy in POLICIES, "realtime_policy", " or ".join(POLICIES), self.policy)
        check(1 <= self.priority <= 99, "realtime_priority", "1 to 99", self.priority)
        check(self.cpu >= ANY_CPU, "realtime_cpu", "a processor >= 0, or -1 for any", self.cpu)


class ThreadSchedule:
    """Schedules the calling thread, and gives back what it had.

    Threads and processes that it starts afterwards are scheduled as usual.

    Args:
        wanted: What to set.

    Raises:
        ConfigError: The process may not use that processor.
        NotReadyError: The system does not permit it; nothing has changed.
    """

    def __init__(self, wanted: Realtime) -> None:
        self._wanted = wanted
        self._cpus = os.sched_getaffinity(0)
        try:
            self._set()
        except BaseException:
            self.restore()
            raise

    def _set(self) -> None:
        wanted = self._wanted
        if wanted.cpu != ANY_CPU:
            if wanted.cpu not in self._cpus:
                raise ConfigError("parameters", "realtime_cpu", f"one of {sorted(self._cpus)}", wanted.cpu)
            os.sched_setaffinity(0, {wanted.cpu})
        if wanted.lock_memory:
            _lock_memory()
        if wanted.policy == "fifo":
            try:
                os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(wanted.priority))
            except PermissionError:
                limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
                raise _not_permitted("realtime_policy", f"SCHED_FIFO at {wanted.priority}", "rtprio", limit) from None

    def restore(self) -> None:
        """Schedule the thread as before; does nothing the second time."""
        wanted, self._wanted = self._wanted, Realtime()
        if wanted.policy != "other":
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        if wanted.lock_memory:
            _libc().munlockall()
        if wanted.cpu != ANY_CPU:
            os.sched_setaffinity(0, self._cpus)


def description() -> str:
    """Say how the calling thread is scheduled now."""
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    name = next((name for name, value in POLICIES.items() if value == policy), str(policy))
    priority = f" {os.sched_getparam(0).sched_priority}" if policy == os.SCHED_FIFO else ""
    return f"{name}{priority}, processors {','.join(map(str, sorted(os.sched_getaffinity(0))))}"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _lock_memory() -> None:
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    # Under a limit the call may succeed, and an allocation fail in the middle of an insertion.
    if os.geteuid() != 0 and limit != resource.RLIM_INFINITY:
        raise _not_permitted("realtime_lock_memory", "memory that may be locked without limit", "memlock", limit)
    if _libc().mlockall(_MCL_CURRENT | _MCL_FUTURE) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise NotReadyError(f"realtime_lock_memory: expected mlockall to lock the process's memory, got: {reason}")


def _not_permitted(parameter: str, what: str, item: str, limit: int) -> NotReadyError:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    value = "99" if item == "rtprio" else "unlimited"
    return NotReadyError(
        f"{parameter}: expected permission for {what}, got a limit of {limit}; add the line "
        f"`{user} - {item} {value}` to {_LIMITS} and log in again"
    )
