"""A thread is scheduled as asked and gets back what it had, or the refusal comes with the line that lifts it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from refinery.errors import ConfigError
from refinery_ros.realtime import Realtime, ThreadSchedule, description

UNPRIVILEGED = """
import os, resource, sys
from refinery_ros.realtime import Realtime, ThreadSchedule, description
before = description()
for item in (resource.RLIMIT_RTPRIO, resource.RLIMIT_MEMLOCK):
    resource.setrlimit(item, (0, 0))
if os.geteuid() == 0:
    os.setuid(65534)
cpu = min(os.sched_getaffinity(0))
for wanted in (Realtime(policy="fifo", priority=70, cpu=cpu), Realtime(lock_memory=True, cpu=cpu)):
    try:
        ThreadSchedule(wanted)
    except Exception as error:
        print(type(error).__name__, error)
print(description() == before)
"""


def test_what_the_system_does_not_permit_is_refused_with_the_line_that_permits_it_and_changes_nothing() -> None:
    answer = subprocess.run([sys.executable, "-c", UNPRIVILEGED], capture_output=True, text=True, check=True)
    fifo, memory, unchanged = answer.stdout.splitlines()
    assert fifo.startswith("NotReadyError realtime_policy") and " - rtprio 99` to /etc/security/limits.conf" in fifo
    assert memory.startswith("NotReadyError realtime_lock_memory") and " - memlock unlimited`" in memory
    assert unchanged == "True"


def test_a_thread_runs_on_the_processor_asked_for_and_is_let_go_again() -> None:
    cpus, before = os.sched_getaffinity(0), description()
    schedule = ThreadSchedule(Realtime(cpu=max(cpus)))
    assert os.sched_getaffinity(0) == {max(cpus)} and description().endswith(f"processors {max(cpus)}")
    schedule.restore()
    schedule.restore()
    assert os.sched_getaffinity(0) == cpus and description() == before


def test_a_processor_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        ThreadSchedule(Realtime(cpu=4095))
    assert caught.value.key == "realtime_cpu" and caught.value.got == 4095


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("realtime_policy", {"policy": "rr"}),
        ("realtime_priority", {"policy": "fifo", "priority": 100}),
        ("realtime_cpu", {"cpu": -2}),
    ],
)
def test_values_out_of_range_are_refused(key: str, values: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        Realtime(**values)
    assert caught.value.key == key
