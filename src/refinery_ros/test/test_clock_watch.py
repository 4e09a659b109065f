"""A clock that stops is noticed by the steady one, and one that goes on again is forgiven."""

from __future__ import annotations

from refinery_ros.clock_watch import ClockWatch


def test_a_clock_that_stands_still_is_stopped_after_the_patience() -> None:
    watch = ClockWatch(2.0)
    assert not watch.look(10.0, 100.0)
    assert not watch.look(10.0, 102.0)
    assert watch.look(10.0, 102.1) and watch.stopped
    assert "2.1 s" in watch.message
    assert not watch.look(10.001, 102.2) and not watch.stopped


def test_any_change_counts_backwards_too() -> None:
    watch = ClockWatch(1.0)
    for step in range(50):
        assert not watch.look(-float(step), 10.0 + 0.9 * step)
