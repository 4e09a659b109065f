"""Trajectories pass through their points, start and end at rest where they should, and everything unsafe is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.errors import ConfigError
from refinery_sim.trajectory import MAX_POINTS, JointLimits, TrajectoryError, plan

START = np.array([0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 8), order=st.integers(0, 2))
def test_passes_through_every_point_and_rests_at_the_end(
    limits: JointLimits, seed: int, count: int, order: int
) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(1.0, 2.0, count))
    points = START + rng.uniform(-0.1, 0.1, (count, 7))
    speeds = rng.uniform(-0.05, 0.05, (count, 7))
    speeds[-1] = 0.0
    trajectory = plan(
        times_s=times,
        positions_rad=points,
        velocities_rad_s=speeds if order >= 1 else None,
        accelerations_rad_s2=np.zeros((count, 7)) if order >= 2 else None,
        start_rad=START,
        limits=limits,
    )
    positions, velocities = trajectory.sample(times)
    np.testing.assert_allclose(positions, points, atol=1e-9)
    if order >= 1:
        np.testing.assert_allclose(velocities, speeds, atol=1e-9)
    np.testing.assert_allclose(trajectory.sample(0.0)[0], START, atol=1e-12)
    np.testing.assert_allclose(trajectory.sample(0.0)[1], 0.0, atol=1e-9)
    after, rest = trajectory.sample(trajectory.duration_s + 5.0)
    np.testing.assert_allclose(after, trajectory.goal_rad, atol=1e-12)
    np.testing.assert_array_equal(rest, 0.0)
    assert trajectory.duration_s == pytest.approx(times[-1])


def test_positions_only_do_not_overshoot(limits: JointLimits) -> None:
    trajectory = plan(times_s=[1, 2], positions_rad=[START + 0.1, START + 0.11], start_rad=START, limits=limits)
    positions, _ = trajectory.sample(np.linspace(0, 2, 500))
    assert np.all(np.diff(positions, axis=0) >= -1e-12)


def test_single_point_at_time_zero_holds(limits: JointLimits) -> None:
    trajectory = plan(times_s=[0.0], positions_rad=[START + 0.01], start_rad=START, limits=limits)
    np.testing.assert_allclose(trajectory.goal_rad, START + 0.01)


def _bad(**changes: object) -> dict[str, object]:
    good: dict[str, object] = {"times_s": [1.0, 2.0], "positions_rad": np.stack([START, START + 0.1])}
    return {**good, **changes}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (_bad(times_s=[], positions_rad=np.zeros((0, 7))), "expected 1 to"),
        (_bad(times_s=np.arange(MAX_POINTS + 1), positions_rad=np.zeros((MAX_POINTS + 1, 7))), "expected 1 to"),
        (_bad(times_s=[2.0, 1.0]), "increase"),
        (_bad(times_s=[1.0, 1.0]), "increase"),
        (_bad(times_s=[-1.0, 1.0]), "increase"),
        (_bad(times_s=[1.0, float("nan")]), "increase"),
        (_bad(times_s=[1.0, 1000.0]), "at most 120 s"),
        (_bad(positions_rad=np.full((2, 7), np.nan)), "finite"),
        (_bad(positions_rad=np.zeros((2, 6))), "7 values at each of 2 points"),
        (_bad(positions_rad=[[0.0] * 7, [0.0] * 6]), "different lengths"),
        (_bad(velocities_rad_s=np.full((2, 7), 0.2)), "last point is in motion"),
        (_bad(times_s=[0.0, 2.0], positions_rad=np.stack([START + 0.2, START])), "starts 0.200 rad"),
        (_bad(positions_rad=np.stack([START, START + 2.5 * np.eye(7)[3]])), "joint 4 leaves its position"),
        (_bad(times_s=[0.1, 0.2], positions_rad=np.stack([START + 0.4, START + 0.8])), "velocity limit"),
    ],
)
def test_refuses_with_a_sentence(limits: JointLimits, arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(TrajectoryError, match=sentence):
        plan(**arguments, start_rad=START, limits=limits)  # type: ignore[arg-type]


def test_refuses_a_curve_that_leaves_the_limits_between_points(limits: JointLimits) -> None:
    points = np.tile(START, (2, 1))
    points[:, 0] = limits.high_rad[0] - 0.05
    start = points[0].copy()
    speeds = np.zeros((2, 7))
    speeds[0, 0] = 1.0
    with pytest.raises(TrajectoryError, match="joint 1 leaves its position limit"):
        plan(times_s=[0.0, 2.0], positions_rad=points, velocities_rad_s=speeds, start_rad=start, limits=limits)


def test_limits_are_validated() -> None:
    with pytest.raises(ConfigError, match="velocity_rad_s"):
        JointLimits(low_rad=-np.ones(7), high_rad=np.ones(7), velocity_rad_s=np.zeros(7))
    with pytest.raises(ConfigError, match="high_rad"):
        JointLimits(low_rad=np.ones(7), high_rad=np.ones(7), velocity_rad_s=np.ones(7))
