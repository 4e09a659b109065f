"""The watch tells arrival from lateness and from leaving the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery_sampler_node.moveit.trajectory import Motion
from refinery_sampler_node.watching import MotionWatch, Tolerances

MOTION = Motion(
    times_s=np.array([0.0, 1.0, 2.0]),
    positions_rad=np.stack([np.zeros(7), np.full(7, 0.5), np.ones(7)]),
    velocities_rad_s=np.stack([np.zeros(7), np.full(7, 0.75), np.zeros(7)]),
)
STILL = np.zeros(7)


def _watch(start_s: float = 10.0) -> MotionWatch:
    return MotionWatch(MOTION, start_s, Tolerances(lag_s=0.5))


@given(lag_s=st.floats(0.0, 0.45), start_s=st.floats(0.0, 1e6))
def test_following_arm_settles(lag_s: float, start_s: float) -> None:
    watch, seen = _watch(start_s), []
    for t in np.arange(0.0, 4.0, 0.02):
        at = float(np.clip(t - lag_s, 0, 2))
        q, v = MOTION.spline(at), MOTION.spline(at, 1) if at < 2 else STILL
        assert not watch.off_the_way(start_s + t, q) and not watch.late(start_s + t, q, v)
        seen.append(watch.settled(start_s + t, q, v))
        if seen[-1]:
            break
    assert seen[-1] and len(seen) * 0.02 > 2.0
    assert watch.share(start_s + 5.0) == 1.0 and watch.share(start_s) == 0.0


def test_leaving_the_way_is_noticed_at_once() -> None:
    watch = _watch()
    assert not watch.off_the_way(11.0, MOTION.spline(0.8))
    assert "joint 4" in watch.off_the_way(11.0, MOTION.spline(0.8) + np.eye(7)[3] * 0.5)


def test_arm_that_does_not_move_is_off_the_way() -> None:
    watch = _watch()
    reasons = [watch.off_the_way(10.0 + t, STILL) for t in np.arange(0.0, 2.0, 0.02)]
    assert "trajectory controller" in next(reason for reason in reasons if reason)


@pytest.mark.parametrize(("offset", "speed", "words"), [(0.05, 0.0, "from its goal"), (0.0, 0.1, "come to rest")])
def test_not_settling_is_late(offset: float, speed: float, words: str) -> None:
    watch = _watch()
    assert not watch.late(15.4, np.ones(7) + offset, STILL + speed)
    assert words in watch.late(15.6, np.ones(7) + offset, STILL + speed)
    assert not watch.settled(15.6, np.ones(7) + offset, STILL + speed)


def test_shaking_restarts_settling() -> None:
    watch, there = _watch(), np.ones(7)
    assert not watch.settled(12.0, there, STILL)
    assert not watch.settled(12.15, there, STILL + 0.1)
    assert not watch.settled(12.3, there, STILL)
    assert watch.settled(12.51, there, STILL)


def test_an_arm_that_arrives_at_the_last_moment_may_settle() -> None:
    watch, there = _watch(), np.ones(7)
    assert not watch.settled(15.4, there, STILL)
    assert not watch.settled(15.55, there, STILL)
    assert not watch.late(15.55, there, STILL)
    assert watch.settled(15.61, there, STILL)
    assert "joint 1" in watch.late(15.7, there + 0.1, STILL)


def test_away_from_the_goal() -> None:
    watch = _watch()
    assert not watch.away(np.full(7, 1.004))
    assert "joint 3" in watch.away(np.ones(7) + np.eye(7)[2] * 0.01)
