"""The monitor tells arrival from lateness, from leaving the path, and from never beginning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery_sampler_node.moveit.trajectory import Motion
from refinery_sampler_node.placing.execution_monitor import Deviation, DeviationKind, ExecutionMonitor, Tolerances

MOTION = Motion(
    times_s=np.array([0.0, 1.0, 2.0]),
    positions_rad=np.stack([np.zeros(7), np.full(7, 0.5), np.ones(7)]),
    velocities_rad_s=np.stack([np.zeros(7), np.full(7, 0.75), np.zeros(7)]),
)
STILL = np.zeros(7)


def _monitor(start_s: float = 10.0) -> ExecutionMonitor:
    return ExecutionMonitor(MOTION, start_s, Tolerances(lag_s=0.5))


def _kind(deviation: Deviation | None) -> DeviationKind | None:
    return None if deviation is None else deviation.kind


@given(lag_s=st.floats(0.0, 0.45), start_s=st.floats(0.0, 1e6))
def test_following_arm_settles(lag_s: float, start_s: float) -> None:
    monitor, seen = _monitor(start_s), []
    for t in np.arange(0.0, 4.0, 0.02):
        at = float(np.clip(t - lag_s, 0, 2))
        q, v = MOTION.spline(at), MOTION.spline(at, 1) if at < 2 else STILL
        assert monitor.path_deviation(start_s + t, q) is None and monitor.overdue(start_s + t, q, v) is None
        seen.append(monitor.settled(start_s + t, q, v))
        if seen[-1]:
            break
    assert seen[-1] and len(seen) * 0.02 > 2.0
    assert monitor.share(start_s + 5.0) == 1.0 and monitor.share(start_s) == 0.0


def test_leaving_the_path_is_noticed_at_once() -> None:
    monitor = _monitor()
    assert monitor.path_deviation(11.0, MOTION.spline(0.8)) is None
    deviation = monitor.path_deviation(11.0, MOTION.spline(0.8) + np.eye(7)[3] * 0.5)
    assert deviation is not None and deviation.kind is DeviationKind.OFF_PATH and "joint 4" in deviation.message


def _first_deviation(monitor: ExecutionMonitor, stops_at_s: float) -> tuple[float, Deviation]:
    """Time after the start, [s], and deviation of an arm that stops on its path for good."""
    for t in np.arange(0.0, 3.0, 0.02):
        if deviation := monitor.path_deviation(10.0 + t, MOTION.spline(min(float(t), stops_at_s))):
            return float(t), deviation
    raise AssertionError("no deviation")


def test_an_arm_that_never_moves_has_not_begun() -> None:
    time_s, deviation = _first_deviation(_monitor(), 0.0)
    assert deviation.kind is DeviationKind.NOT_BEGUN and time_s > 0.5
    assert "MoveIt started late" in deviation.message and "trajectory controller" in deviation.message


def test_an_arm_that_stops_after_it_has_moved_is_off_the_path() -> None:
    _, deviation = _first_deviation(_monitor(), 0.3)
    assert deviation.kind is DeviationKind.OFF_PATH


def test_an_arm_that_has_moved_and_came_back_has_begun() -> None:
    monitor = _monitor()
    assert monitor.path_deviation(10.3, MOTION.spline(0.3)) is None
    assert _kind(monitor.path_deviation(11.5, STILL)) is DeviationKind.OFF_PATH


@pytest.mark.parametrize(
    ("offset", "speed", "kind"),
    [
        (0.05, 0.0, DeviationKind.NOT_AT_GOAL),
        (0.0, 0.1, DeviationKind.NOT_AT_REST),
        (-1.0, 0.0, DeviationKind.NOT_BEGUN),
    ],
)
def test_not_settling_is_overdue(offset: float, speed: float, kind: DeviationKind) -> None:
    monitor = _monitor()
    assert monitor.overdue(15.4, np.ones(7) + offset, STILL + speed) is None
    assert _kind(monitor.overdue(15.6, np.ones(7) + offset, STILL + speed)) is kind
    assert not monitor.settled(15.6, np.ones(7) + offset, STILL + speed)


def test_shaking_restarts_settling() -> None:
    monitor, there = _monitor(), np.ones(7)
    assert not monitor.settled(12.0, there, STILL)
    assert not monitor.settled(12.15, there, STILL + 0.1)
    assert not monitor.settled(12.3, there, STILL)
    assert monitor.settled(12.51, there, STILL)


def test_an_arm_that_arrives_at_the_last_moment_may_settle() -> None:
    monitor, there = _monitor(), np.ones(7)
    assert not monitor.settled(15.4, there, STILL)
    assert not monitor.settled(15.55, there, STILL)
    assert monitor.overdue(15.55, there, STILL) is None
    assert monitor.settled(15.61, there, STILL)
    deviation = monitor.overdue(15.7, there + 0.1, STILL)
    assert deviation is not None and "joint 1" in deviation.message


def test_distance_from_the_goal() -> None:
    monitor = _monitor()
    assert monitor.goal_deviation(np.full(7, 1.004)) is None
    deviation = monitor.goal_deviation(np.ones(7) + np.eye(7)[2] * 0.01)
    assert deviation is not None and "joint 3" in deviation.message
