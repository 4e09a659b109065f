"""The monitor tells arrival from lateness and from leaving the way; the stopping point brakes within the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline

from refinery_sampler_node.joint_path import JointPath
from refinery_sampler_node.motion import MotionMonitor, Progress, Tolerances, stopping_point

PATH = JointPath(
    times_s=np.array([0.0, 1.0, 2.0]),
    positions_rad=np.stack([np.zeros(7), np.full(7, 0.5), np.ones(7)]),
    velocities_rad_s=np.stack([np.zeros(7), np.full(7, 0.75), np.zeros(7)]),
)
STILL = np.zeros(7)


def _monitor(start_s: float = 10.0) -> MotionMonitor:
    return MotionMonitor(PATH, start_s, Tolerances())


@given(lag_s=st.floats(0.0, 0.45), start_s=st.floats(0.0, 1e6))
def test_following_arm_arrives_once_settled(lag_s: float, start_s: float) -> None:
    monitor = _monitor(start_s)
    seen = []
    for t in np.arange(0.0, 4.0, 0.02):
        velocity = np.asarray(PATH.spline(np.clip(t - lag_s, 0, 2), 1))
        seen.append(monitor.update(start_s + t, PATH.at(t - lag_s), velocity))
        if seen[-1] is not Progress.MOVING:
            break
    assert seen[-1] is Progress.ARRIVED
    assert len(seen) * 0.02 > 2.0
    assert monitor.share == 1.0


def test_leaving_the_way_is_noticed_at_once() -> None:
    monitor = _monitor()
    assert monitor.update(11.0, PATH.at(0.8), STILL) is Progress.MOVING
    assert monitor.update(11.0, PATH.at(0.8) + np.eye(7)[3] * 0.5, STILL) is Progress.OFF_THE_WAY
    assert "joint 4" in monitor.reason


def test_arm_that_does_not_move_is_off_the_way() -> None:
    monitor = _monitor()
    progress = [monitor.update(10.0 + t, STILL, STILL) for t in np.arange(0.0, 2.0, 0.02)]
    first = next(p for p in progress if p is not Progress.MOVING)
    assert first is Progress.OFF_THE_WAY
    assert "trajectory controller" in monitor.reason


@pytest.mark.parametrize(("offset", "speed", "words"), [(0.05, 0.0, "from its goal"), (0.0, 0.1, "come to rest")])
def test_not_settling_is_late(offset: float, speed: float, words: str) -> None:
    monitor = _monitor()
    assert monitor.update(12.1, np.ones(7) + offset, STILL + speed) is Progress.MOVING
    assert monitor.update(15.1, np.ones(7) + offset, STILL + speed) is Progress.LATE
    assert words in monitor.reason


def test_shaking_restarts_settling() -> None:
    monitor = _monitor()
    assert monitor.update(12.0, np.ones(7), STILL) is Progress.MOVING
    assert monitor.update(12.15, np.ones(7), STILL + 0.1) is Progress.MOVING
    assert monitor.update(12.3, np.ones(7), STILL) is Progress.MOVING
    assert monitor.update(12.51, np.ones(7), STILL) is Progress.ARRIVED


@given(velocity=st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7))
def test_stopping_brakes_within_the_limit(velocity: list[float]) -> None:
    v, limit = np.array(velocity), np.full(7, 2.0)
    goal, duration = stopping_point(STILL, v, limit)
    spline = CubicHermiteSpline([0, duration], np.stack([STILL, goal]), np.stack([v, STILL]))
    t = np.linspace(0, duration, 50)
    assert np.abs(spline(t, 2)).max() <= 2.0 + 1e-9
    assert np.all(np.abs(spline(t)) <= np.abs(goal) + 1e-12)
    assert np.all(np.abs(goal) <= np.maximum(v**2 / 4, np.abs(v)).max() / 1 + 1e-12)
