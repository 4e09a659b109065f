"""Things are timed by turns, and garbage collection is on again afterwards, whatever happened."""

from __future__ import annotations

import gc
import time

import numpy as np
import pytest

from experiments.bench.interleaved import Durations, interleave, ratio


def test_every_thing_has_its_turn_in_every_round() -> None:
    order: list[str] = []

    def thing(name: str):
        def prepare():
            assert not gc.isenabled()
            order.append(f"prepare {name}")
            return lambda: order.append(name)

        return prepare

    taken = interleave({"a": thing("a"), "b": thing("b")}, rounds=2, warm_up=1)
    assert order == ["prepare a", "a", "prepare b", "b"] * 3
    assert [len(durations.seconds) for durations in taken.values()] == [2, 2]
    assert gc.isenabled()


def test_a_failure_leaves_garbage_collection_on() -> None:
    def fails():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        interleave({"a": fails}, rounds=1)
    assert gc.isenabled()


def test_ratios_are_of_medians() -> None:
    slow = Durations(seconds=np.array([2e-6, 4e-6, 90e-6]), cpu_seconds=np.array([1e-6, 3e-6, 7e-6]))
    fast = Durations(seconds=np.full(3, 2e-6), cpu_seconds=np.full(3, 2e-6))
    assert ratio({"slow": slow, "fast": fast}, "slow", "fast") == pytest.approx(2.0)
    assert slow.quantile_us(1.0) == pytest.approx(90.0)
    assert (slow.cpu_median_us, slow.cpu_quantile_us(1.0)) == (pytest.approx(3.0), pytest.approx(7.0))


def test_sleep_counts_by_the_wall_clock_only_and_a_pause_not_at_all() -> None:
    candidates = {"sleep": lambda: lambda: time.sleep(0.02), "nothing": lambda: lambda: None}
    taken = interleave(candidates, rounds=3, warm_up=0, pause_s=0.02)
    assert taken["sleep"].seconds.min() >= 0.02 > taken["sleep"].cpu_seconds.max()
    assert taken["nothing"].median_us < 0.02e6
