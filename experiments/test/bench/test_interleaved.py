"""Things are timed by turns, and garbage collection is on again afterwards, whatever happened."""

from __future__ import annotations

import gc

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
    taken = {"slow": Durations(seconds=np.array([2e-6, 4e-6, 90e-6])), "fast": Durations(seconds=np.full(3, 2e-6))}
    assert ratio(taken, "slow", "fast") == pytest.approx(2.0)
    assert taken["slow"].quantile_us(1.0) == pytest.approx(90.0)
