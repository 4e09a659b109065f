"""Trials: drawn by seed, in the task's ranges, and scored by the truth; no luck with random targets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.initial_state import plug_pose
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_sim.plant import Mode, Plant
from refinery_sim.trajectory import JointLimits, plan
from refinery_twin.trial import Trial, draw_trial

AS_INTENDED = np.zeros((1, 3))


@given(seed=st.integers(0, 2**63 - 1))
def test_same_seed_same_trial_in_the_ranges(task: Task, seed: int) -> None:
    a, b = draw_trial(task, seed), draw_trial(task, seed)
    np.testing.assert_array_equal(a.socket.pos_m, b.socket.pos_m)
    np.testing.assert_array_equal(a.estimate.pos_m, b.estimate.pos_m)
    np.testing.assert_array_equal(a.estimate.quat_xyzw, b.estimate.quat_xyzw)
    np.testing.assert_array_equal(a.control_bias_m, b.control_bias_m)
    assert a.friction == b.friction
    moment = {"step": 0, "attempt": 1, "tick": 3}
    np.testing.assert_array_equal(a.estimator.at(**moment).pos_m, b.estimator.at(**moment).pos_m)
    away = np.abs(a.socket.pos_m[0] - task.socket.nominal_xyz_m)
    assert np.all(away <= np.add(task.socket.range_xyz_m, 1e-12))
    assert abs(a.socket.rpy_rad()[0, 2]) <= task.socket.range_yaw_rad + 1e-12


def test_biases_have_the_stated_spread(task: Task) -> None:
    draws = [draw_trial(task, seed) for seed in range(3000)]
    shift = np.stack([(d.estimate.pos_m - d.socket.pos_m)[0] for d in draws])
    yaw = np.array([(d.estimate.rpy_rad() - d.socket.rpy_rad())[0, 2] for d in draws])
    control = np.stack([d.control_bias_m for d in draws])
    np.testing.assert_allclose(shift[:, :2].std(axis=0), task.noise.estimate_bias_m, rtol=0.06)
    np.testing.assert_array_equal(shift[:, 2], 0.0)
    assert yaw.std() == pytest.approx(task.noise.estimate_bias_yaw_rad, rel=0.06)
    np.testing.assert_allclose(control.std(axis=0), task.noise.control_bias_m, rtol=0.06)
    for values, sigma in ((shift[:, :2], task.noise.estimate_bias_m), (control, task.noise.control_bias_m)):
        assert np.abs(values.mean(axis=0)).max() < 4 * sigma / np.sqrt(len(draws))


def test_trials_with_one_seed_of_the_bias_share_it_and_nothing_else(task: Task) -> None:
    one, other, own = draw_trial(task, 1, bias_seed=7), draw_trial(task, 2, bias_seed=7), draw_trial(task, 1)
    bias = one.estimate.pos_m - one.socket.pos_m
    np.testing.assert_allclose(other.estimate.pos_m - other.socket.pos_m, bias, atol=1e-12)
    assert np.abs(own.estimate.pos_m - own.socket.pos_m - bias).max() > 1e-6
    np.testing.assert_array_equal(own.socket.pos_m, one.socket.pos_m)
    np.testing.assert_array_equal(own.control_bias_m, one.control_bias_m)
    assert np.abs(one.socket.pos_m - other.socket.pos_m).max() > 1e-4


def test_friction_stays_in_its_range(task: Task) -> None:
    friction = np.array([draw_trial(task, seed).friction for seed in range(2000)])
    spec = task.socket
    assert np.abs(friction - spec.friction).max() <= spec.friction_range
    assert friction.std() == pytest.approx(spec.friction_range / np.sqrt(3), rel=0.06)


def test_theta_is_relative_to_the_biased_estimate(task: Task) -> None:
    draw = draw_trial(task, 5)
    grasp = np.array([[0.001, -0.002, 0.1]])
    trial = Trial(task, draw, grasp)
    assert trial.truth(draw.socket).theta is None
    theta = np.array([[0.004, -0.003, 0.035, 0.1, -0.05, 0.3, *grasp[0]]])
    trial.hand_over(plug_pose(draw.estimate, theta))
    recorded = trial.truth(draw.socket).theta
    assert recorded is not None
    np.testing.assert_allclose(recorded, theta[0], atol=1e-12)


@given(waited_s=st.floats(0.0, 1000.0), asked=st.integers(0, 5))
def test_estimates_after_a_hand_over_are_the_same_however_long_it_was_waited_for(
    task: Task, waited_s: float, asked: int
) -> None:
    def series(begun_s: float) -> Array:
        trial = Trial(task, draw_trial(task, 5), AS_INTENDED)
        for i in range(asked if begun_s else 0):
            trial.estimate(i * begun_s / 5)
        rows = []
        for attempt in range(2):
            at_s = begun_s + 10.0 * attempt
            trial.hand_over(trial.draw.socket, at_s)
            rows += [trial.estimate(at_s + tick / 30 + 0.001).pos_m[0] for tick in range(6)]
        return np.array(rows)

    paused = series(waited_s)
    np.testing.assert_array_equal(paused, series(0.0))
    assert len(np.unique(paused[:, 0])) == len(paused), "another attempt or tick meets another jitter"


def test_truth_scores_the_seat_and_keeps_engaged_and_force(task: Task) -> None:
    draw = draw_trial(task, 6)
    trial = Trial(task, draw, AS_INTENDED)
    high = draw.socket @ Poses.from_xyz_rpy((0, 0, 0.04), (0, 0, 0))
    assert not trial.truth(draw.socket).engaged, "nothing counts before the hand-over"
    trial.hand_over(high)
    assert not trial.truth(high).strict
    assert not trial.truth(high).engaged
    seated = trial.truth(draw.socket)
    assert seated.strict
    assert seated.engaged
    trial.observe_force(3.0)
    trial.observe_force(7.5)
    trial.observe_force(1.0)
    after = trial.truth(high)
    assert not after.strict
    assert after.engaged, "the loose test counts any step"
    assert after.max_contact_force_n == 7.5
    assert after.errors.height_m[0] == pytest.approx(0.04)


def test_random_targets_never_score_strict_success(
    plant: Plant, task: Task, above_socket_rad: np.ndarray, limits: JointLimits
) -> None:
    period = round(1000 / task.control.policy_rate_hz)
    reach = np.asarray(task.control.max_error)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        draw = draw_trial(task, seed)
        plant.reset(socket=draw.socket, control_bias_m=draw.control_bias_m)
        plant.follow(plan(times_s=[2.0], positions_rad=[above_socket_rad], start_rad=plant.joints_rad, limits=limits))
        plant.step(2300)
        trial = Trial(task, draw, AS_INTENDED)
        plant.set_mode(Mode.IMPEDANCE)
        trial.hand_over(plant.plug)
        for _ in range(task.control.episode_steps):
            move = rng.uniform(-reach, reach)
            tool = plant.tool
            target = Poses.from_xyz_rpy(tool.pos_m[0] + move[:3], tool.rpy_rad()[0] + move[3:])
            plant.set_target(target)
            plant.step(period)
            trial.observe_force(plant.contact_force_n)
        truth = trial.truth(plant.plug)
        assert not truth.strict, f"seed {seed}: random targets scored"
