"""The plant: goals are reached, forces stay bounded, switching controllers moves nothing, and runs repeat exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from refinery.errors import RefineryError
from refinery.force_bound import commanded_force_bound
from refinery.initial_state import GRASP
from refinery.rotations import Poses, angle_between_rad
from refinery.task import Task
from refinery_sim.plant import Mode, Plant
from refinery_sim.trajectory import JointLimits, plan


def _place(plant: Plant, joints_rad: np.ndarray, limits: JointLimits, settle_s: float = 0.5) -> None:
    plant.follow(plan(times_s=[2.0], positions_rad=[joints_rad], start_rad=plant.joints_rad, limits=limits))
    plant.step(round((2.0 + settle_s) * 1000))


def _shifted(pose: Poses, move_m: np.ndarray, turn_rad: np.ndarray) -> Poses:
    turned = Rotation.from_rotvec(turn_rad) * pose.rotation
    return Poses(pos_m=pose.pos_m + move_m, quat_xyzw=np.atleast_2d(turned.as_quat()))


def _distance_m(a: Poses, b: Poses) -> float:
    return float(np.linalg.norm(a.pos_m - b.pos_m))


def test_trajectory_ends_at_the_goal(plant: Plant, above_socket_rad: np.ndarray, limits: JointLimits) -> None:
    _place(plant, above_socket_rad, limits)
    want = Poses.from_xyz_rpy(plant.socket.pos_m[0] + [0, 0, 0.065], (0, 0, 0))
    assert not plant.moving
    assert _distance_m(plant.plug, want) < 0.3e-3
    assert angle_between_rad(plant.plug.quat_xyzw, want.quat_xyzw)[0] < np.radians(0.1)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_settles_within_the_tolerance_wherever_it_goes(
    shared_plant: Plant, home_rad: np.ndarray, limits: JointLimits, seed: int
) -> None:
    shared_plant.reset()
    goal = home_rad + np.random.default_rng(seed).uniform(-0.4, 0.4, 7)
    _place(shared_plant, goal, limits)
    there = shared_plant.tool
    shared_plant.step(3000)
    assert _distance_m(there, shared_plant.tool) < 0.3e-3
    assert angle_between_rad(there.quat_xyzw, shared_plant.tool.quat_xyzw)[0] < np.radians(0.1)
    np.testing.assert_allclose(shared_plant.joints_rad, goal, atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_impedance_reaches_targets_in_free_space(shared_plant: Plant, task: Task, seed: int) -> None:
    shared_plant.reset()
    shared_plant.set_mode(Mode.IMPEDANCE)
    rng = np.random.default_rng(seed)
    reach = 0.7 * np.asarray(task.control.max_error)
    start = shared_plant.tool
    target = _shifted(start, rng.uniform(-reach[:3], reach[:3]), rng.uniform(-reach[3:], reach[3:]))
    shared_plant.set_target(target)
    shared_plant.step(4000)
    # The weak posture servos leave a remainder; it must be small against the way that was asked for.
    assert _distance_m(shared_plant.tool, target) < 1.5e-3
    assert angle_between_rad(shared_plant.tool.quat_xyzw, target.quat_xyzw)[0] < np.radians(1.0)


def test_switching_moves_nothing(plant: Plant, above_socket_rad: np.ndarray, limits: JointLimits) -> None:
    _place(plant, above_socket_rad, limits, settle_s=0.3)
    plant.reset(control_bias_m=(1e-3, 1e-3, 1e-3))
    for mode in (Mode.IMPEDANCE, Mode.TRAJECTORY, Mode.IMPEDANCE):
        before = plant.tool
        plant.set_mode(mode)
        far = 0.0
        for _ in range(200):
            plant.step(5)
            far = max(far, _distance_m(before, plant.tool))
        assert far < 0.2e-3
        assert plant.mode is mode


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_plug_sits_in_the_hand_as_its_grasp_says(shared_plant: Plant, task: Task, seed: int) -> None:
    grasp = task.initial_state.deployed.uniform(1, np.random.default_rng(seed))[:, GRASP]
    shared_plant.reset(grasp=grasp)
    want = shared_plant.tool @ task.plug.tool_from_plug_at(grasp)
    assert _distance_m(shared_plant.plug, want) < 1e-9
    assert angle_between_rad(shared_plant.plug.quat_xyzw, want.quat_xyzw)[0] < 1e-7
    # It stays so: through motion, and through a reset that does not speak of it.
    shared_plant.set_mode(Mode.IMPEDANCE)
    shared_plant.set_target(_shifted(shared_plant.tool, np.array([0.01, 0, 0.01]), np.array([0, 0, 0.1])))
    shared_plant.step(300)
    assert _distance_m(shared_plant.plug, shared_plant.tool @ task.plug.tool_from_plug_at(grasp)) < 1e-9
    shared_plant.reset()
    assert _distance_m(shared_plant.plug, want) < 1e-9


def test_friction_is_what_the_trial_says(
    plant: Plant, task: Task, above_socket_rad: np.ndarray, limits: JointLimits
) -> None:
    aside = Poses.from_xyz_rpy(np.add(task.socket.nominal_xyz_m, [0.03, 0, 0]), (0, 0, 0))
    shares = []
    for friction in (0.1, 0.4):
        plant.reset(socket=aside, friction=friction)
        _place(plant, above_socket_rad, limits)
        plant.set_mode(Mode.IMPEDANCE)
        for _ in range(40):
            plant.set_target(_shifted(plant.tool, np.array([0, 0, -0.5]), np.zeros(3)))
            plant.step(66)
        forces = []
        for _ in range(10):
            plant.set_target(_shifted(plant.tool, np.array([0, 0.5, -0.5]), np.zeros(3)))
            plant.step(66)
            forces.append(plant.external_wrench[:3].copy())
        slip = np.array(forces[5:]).mean(axis=0)
        shares.append(np.linalg.norm(slip[:2]) / slip[2])
    np.testing.assert_allclose(shares, [0.1, 0.4], rtol=0.1)


def test_force_is_bounded_by_stiffness_times_largest_error(
    plant: Plant, task: Task, above_socket_rad: np.ndarray, limits: JointLimits
) -> None:
    plant.reset(socket=Poses.from_xyz_rpy(np.add(task.socket.nominal_xyz_m, [0.03, 0, 0]), (0, 0, 0)))
    _place(plant, above_socket_rad, limits)
    plant.set_mode(Mode.IMPEDANCE)
    for _ in range(60):
        plant.set_target(_shifted(plant.tool, np.array([0, 0, -0.5]), np.zeros(3)))
        plant.step(66)
    bound = commanded_force_bound(task.control)[2]
    force = plant.external_wrench[:3]
    assert 0.8 * bound < force[2] < 1.05 * bound
    assert np.abs(force[:2]).max() < 0.1 * bound
    assert plant.contact_force_n == pytest.approx(np.linalg.norm(force), rel=0.05)


def test_free_space_has_no_external_wrench(plant: Plant) -> None:
    plant.set_mode(Mode.IMPEDANCE)
    plant.set_target(_shifted(plant.tool, np.array([0.01, 0, 0]), np.zeros(3)))
    plant.step(50)
    np.testing.assert_allclose(plant.external_wrench, 0.0, atol=1e-9)


def test_target_is_clipped_against_the_measured_pose(plant: Plant, task: Task) -> None:
    plant.set_mode(Mode.IMPEDANCE)
    here = plant.tool
    clipped = plant.set_target(_shifted(here, np.array([1.0, -1.0, 0.001]), np.array([0, 0, 1.0])))
    want = [task.control.max_error[0], -task.control.max_error[1], 0.001]
    np.testing.assert_allclose(clipped.pos_m[0] - here.pos_m[0], want, atol=1e-12)
    assert angle_between_rad(here.quat_xyzw, clipped.quat_xyzw)[0] == pytest.approx(task.control.max_error[5])


def test_control_bias_moves_the_commanded_position(plant: Plant) -> None:
    ends = []
    for bias in (np.zeros(3), np.array([2e-3, -1e-3, 1e-3])):
        plant.reset(control_bias_m=bias)
        plant.set_mode(Mode.IMPEDANCE)
        plant.set_target(plant.tool)
        plant.step(4000)
        ends.append(plant.tool.pos_m[0])
    np.testing.assert_allclose(ends[1] - ends[0], [2e-3, -1e-3, 1e-3], atol=0.4e-3)


def test_target_has_no_effect_under_the_trajectory_controller(plant: Plant) -> None:
    before = plant.tool
    plant.set_target(_shifted(before, np.array([0.01, 0, 0]), np.zeros(3)))
    plant.step(500)
    assert _distance_m(before, plant.tool) < 1e-6


def test_trajectory_is_refused_under_the_impedance_controller(plant: Plant, limits: JointLimits) -> None:
    plant.set_mode(Mode.IMPEDANCE)
    trajectory = plan(times_s=[1.0], positions_rad=[plant.joints_rad], start_rad=plant.joints_rad, limits=limits)
    with pytest.raises(RefineryError, match="switch to the trajectory controller"):
        plant.follow(trajectory)


def test_a_new_trajectory_or_a_stop_replaces_the_old_one(
    plant: Plant, home_rad: np.ndarray, limits: JointLimits
) -> None:
    plant.follow(plan(times_s=[4.0], positions_rad=[home_rad + 0.3], start_rad=plant.joints_rad, limits=limits))
    plant.step(1000)
    assert plant.moving
    plant.stop_trajectory()
    plant.step(1000)
    assert not plant.moving
    assert np.abs(plant.joint_velocities_rad_s).max() < 1e-3
    assert 0.01 < np.abs(plant.joints_rad - home_rad).max() < 0.2


def test_stiffness_applies_and_bad_ones_are_refused(plant: Plant) -> None:
    for bad in ([600.0] * 5, [600, 600, 600, 30, 30, 90], [-1, 600, 600, 30, 30, 30], [np.nan] * 6):
        with pytest.raises(RefineryError, match="expected 6 values"):
            plant.set_stiffness(bad)
    plant.set_mode(Mode.IMPEDANCE)
    plant.set_stiffness(np.zeros(6))
    before = plant.tool
    plant.set_target(_shifted(before, np.array([0, 0, 0.01]), np.zeros(3)))
    plant.step(1000)
    assert _distance_m(before, plant.tool) < 1e-4
    plant.set_stiffness([600, 600, 600, 30, 30, 30])
    plant.step(1000)
    assert _distance_m(before, plant.tool) > 5e-3


def test_equal_commands_give_equal_motion_and_time_never_goes_back(
    plant: Plant, above_socket_rad: np.ndarray, limits: JointLimits
) -> None:
    ends, times = [], []
    for _ in range(2):
        plant.reset()
        times.append(plant.time_s)
        _place(plant, above_socket_rad, limits)
        plant.set_mode(Mode.IMPEDANCE)
        plant.set_target(_shifted(plant.tool, np.array([0.005, 0, -0.02]), np.zeros(3)))
        plant.step(1500)
        ends.append(plant.joints_rad.copy())
    np.testing.assert_array_equal(ends[0], ends[1])
    assert times[1] > times[0]
    assert plant.time_s == pytest.approx(plant.steps * 1e-3)


def test_divergence_is_an_error(plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its warning to a file in the working directory
    plant.step(4)
    plant.joint_velocities_rad_s[:] = 1e12
    with pytest.raises(RefineryError, match="diverged"):
        plant.step(4)


def test_the_commanded_force_is_that_of_the_impedance_spring(plant: Plant, task: Task) -> None:
    plant.set_target(_shifted(plant.tool, np.array([0.01, 0.0, 0.0]), np.zeros(3)))
    np.testing.assert_array_equal(plant.commanded_force_n, np.zeros(3))
    plant.set_mode(Mode.IMPEDANCE)
    np.testing.assert_allclose(plant.commanded_force_n, np.zeros(3), atol=1e-9)
    plant.set_target(_shifted(plant.tool, np.array([0.01, -1.0, 0.0]), np.zeros(3)))
    k, limit = task.control.stiffness, commanded_force_bound(task.control)
    np.testing.assert_allclose(plant.commanded_force_n, [0.01 * k[0], -limit[1], 0.0], atol=1e-9)
    plant.step(2000)
    assert abs(plant.commanded_force_n[0]) < 0.5
