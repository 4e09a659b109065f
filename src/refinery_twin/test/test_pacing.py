"""Pacing against a clock made of numbers: no drift, no race after a stall, and an honest factor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.errors import ConfigError
from refinery_twin.pacing import Pacer


class Clock:
    """Wall clock that moves only when told to or slept on."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now(self) -> float:
        return self.time_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time_s += seconds


def _run(pacer: Pacer, clock: Clock, steps: int, work_s: float, first: int = 0) -> float:
    for step in range(first, first + steps + 1):
        pacer.wait(step * 0.004)
        clock.time_s += work_s
    return (first + steps) * 0.004


@given(factor=st.sampled_from([0.5, 1.0, 2.0, 10.0]), share=st.floats(0.0, 0.95))
def test_keeps_pace_without_drift_when_it_can(factor: float, share: float) -> None:
    clock = Clock()
    pacer = Pacer(factor, now=clock.now, sleep=clock.sleep)
    _run(pacer, clock, 1000, share * 0.004 / factor)
    due = 100.0 + 4.0 / factor
    assert due <= clock.time_s + 1e-9 <= due + 0.004 / factor + 1e-6


def test_falls_behind_gracefully_and_says_so() -> None:
    clock = Clock()
    pacer = Pacer(1.0, now=clock.now, sleep=clock.sleep)
    end = _run(pacer, clock, 1000, 0.008)
    assert pacer.achieved(end) == pytest.approx(0.5, rel=0.01)
    begin = clock.time_s
    _run(pacer, clock, 1000, 0.0, first=1001)
    assert clock.time_s - begin > 3.8, "only max_debt_s of the delay may be caught up"


def test_a_short_stall_is_caught_up() -> None:
    clock = Clock()
    pacer = Pacer(1.0, now=clock.now, sleep=clock.sleep)
    _run(pacer, clock, 100, 0.001)
    clock.time_s += 0.05
    _run(pacer, clock, 100, 0.001, first=101)
    assert clock.time_s == pytest.approx(100.0 + 201 * 0.004 + 0.001)


def test_unpaced_never_sleeps() -> None:
    clock = Clock()
    pacer = Pacer(0.0, now=clock.now, sleep=lambda _: pytest.fail("slept"))
    assert pacer.achieved(0.0) == 0.0
    end = _run(pacer, clock, 100, 0.001)
    assert pacer.achieved(end) == pytest.approx(4.0, rel=0.02)


def test_bad_factor_is_named() -> None:
    with pytest.raises(ConfigError, match="realtime_factor"):
        Pacer(-1.0)
