"""Trajectories keep to the scaled limits however they are interpolated, rest at both ends and waste little time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning.cases import HOME, down, turned
from scipy.interpolate import BPoly

from refinery.rotations import Array
from refinery_sim.trajectory import JointLimits, plan
from refinery_twin.planning import JointGoal, Planner, TimedPath
from refinery_twin.planning.timing import MotionLimits, Timer

SLACK = 1 + 1e-6


def assert_within(path: TimedPath, velocity: Array, acceleration: Array) -> None:
    """Look at linear, cubic and quintic interpolation of the points, much finer than they are."""
    assert np.all(np.diff(path.times_s) > 0) and path.times_s[0] == 0
    assert not path.velocities_rad_s[[0, -1]].any()
    linear = np.diff(path.positions_rad, axis=0) / np.diff(path.times_s)[:, None]
    assert np.all(np.abs(linear) <= velocity * SLACK)
    times = np.linspace(0.0, path.duration_s, 20 * len(path.times_s))
    columns = [path.positions_rad, path.velocities_rad_s, path.accelerations_rad_s2]
    for curve in (path.curve, BPoly.from_derivatives(path.times_s, np.stack(columns, axis=1))):
        assert np.all(np.abs(curve.derivative(1)(times)) <= velocity * SLACK)
        assert np.all(np.abs(curve.derivative(2)(times)) <= acceleration * (1 + 1e-4))
    # The acceleration is continuous: what one piece ends with is what the next begins with.
    np.testing.assert_allclose(path.curve.derivative(2)(path.times_s), path.accelerations_rad_s2, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    corners=st.integers(2, 6),
    velocity_scaling=st.sampled_from([0.05, 0.5, 1.0]),
    acceleration_scaling=st.sampled_from([0.05, 0.5, 1.0]),
    stop=st.booleans(),
    size=st.sampled_from([1e-4, 0.05, 1.0]),
)
def test_keeps_every_limit_between_its_points_too(
    one_planner: Planner,
    seed: int,
    corners: int,
    velocity_scaling: float,
    acceleration_scaling: float,
    stop: bool,
    size: float,
) -> None:
    limits = one_planner.profile.limits
    way = HOME + size * np.random.default_rng(seed).uniform(-0.7, 0.7, (corners, 7))
    timer = Timer(one_planner._model, one_planner.profile.arm_kinematics())
    asked = MotionLimits(
        velocity_scaling=velocity_scaling, acceleration_scaling=acceleration_scaling, tool_speed_m_s=0.5
    )
    path = timer.time(way, asked, stop_at_corners=stop)
    velocity, acceleration = np.array(limits.velocity_rad_s), np.array(limits.acceleration_rad_s2)
    assert_within(path, velocity_scaling * velocity, acceleration_scaling * acceleration)
    np.testing.assert_allclose(path.positions_rad[[0, -1]], way[[0, -1]], atol=1e-12)
    times = np.linspace(0.0, path.duration_s, 2000)
    tool = one_planner.profile.arm_kinematics().forward(path.at(times)).pos_m
    assert (np.linalg.norm(np.diff(tool, axis=0), axis=1) / np.diff(times)).max() <= 0.5 * 1.02
    low, high = way.min(axis=0), way.max(axis=0)
    assert np.all(path.positions_rad >= low - 1e-9) and np.all(path.positions_rad <= high + 1e-9)


@pytest.mark.parametrize("far", [0.05, 0.5, 2.0])
def test_is_nearly_as_fast_as_can_be(planner: Planner, far: float) -> None:
    limits = planner.profile.limits
    velocity = np.array(limits.velocity_rad_s) * limits.velocity_scaling
    acceleration = np.array(limits.acceleration_rad_s2) * limits.acceleration_scaling
    path = planner.plan(HOME, JointGoal(joints_rad=turned(far)))
    v, a = velocity[0], acceleration[0]
    least = far / v + v / a if far > v**2 / a else 2 * np.sqrt(far / a)
    assert least <= path.duration_s <= least + 0.06


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.sampled_from([0.1, 0.5, 1.0]))
def test_what_a_plan_asks_the_twin_to_follow_it_follows(one_planner: Planner, seed: int, share: float) -> None:
    profile, rng = one_planner.profile, np.random.default_rng(seed)
    one_planner.scene.clear()
    start, goal = (HOME + rng.uniform(-0.5, 0.5, 7) for _ in range(2))
    if not all(one_planner.check_state(joints).valid for joints in (start, goal)):
        return
    path = one_planner.plan(start, JointGoal(joints_rad=goal), velocity_scaling=share, acceleration_scaling=share)
    limits = JointLimits(
        low_rad=np.array(profile.limits.low_rad),
        high_rad=np.array(profile.limits.high_rad),
        velocity_rad_s=share * np.array(profile.limits.velocity_rad_s),
    )
    for accelerations in (None, path.accelerations_rad_s2):
        followed = plan(
            times_s=path.times_s,
            positions_rad=path.positions_rad,
            velocities_rad_s=path.velocities_rad_s,
            accelerations_rad_s2=accelerations,
            start_rad=start,
            limits=limits,
        )
        np.testing.assert_allclose(followed.goal_rad, goal, atol=1e-9)


def test_straight_lines_keep_the_limits(planner: Planner) -> None:
    limits = planner.profile.limits
    start = planner.inverse(down(0.5, 0.0, 0.3), seed_rad=HOME)
    line = planner.cartesian(start, down(0.5, 0.1, 0.15, 0.5), velocity_scaling=0.3, acceleration_scaling=0.2)
    assert line.fraction == 1
    assert_within(line.path, 0.3 * np.array(limits.velocity_rad_s), 0.2 * np.array(limits.acceleration_rad_s2))
