"""Every planned way starts and ends at rest, keeps the limits, and never brings the plug below its ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from refinery.initial_state import tool_pose
from refinery.kinematics import ArmKinematics
from refinery.rotations import Poses
from refinery.task import Task
from refinery_sampler_node.joint_path import JointPath, MotionLimits, PlacementError, check_path
from refinery_sampler_node.placement import plan_placement

SOCKET = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 0.1])
SEATED = np.zeros((1, 9))


def _heights(arm: ArmKinematics, task: Task, path: JointPath) -> np.ndarray:
    fine = np.linspace(0.0, path.duration_s, 500)
    return (SOCKET.inverse() @ (arm.forward(path.spline(fine)) @ task.plug.tool_from_plug)).pos_m


def _joints(arm: ArmKinematics, home_rad: np.ndarray, task: Task, theta: np.ndarray) -> np.ndarray:
    joints, reached = arm.inverse(tool_pose(SOCKET, theta, task.plug.tool_from_plug), home_rad)
    assert reached.all()
    return joints


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), start=st.sampled_from(["home", "seated", "other", "far"]))
def test_way_keeps_the_rules(
    task: Task, arm: ArmKinematics, home_rad: np.ndarray, limits: MotionLimits, seed: int, start: str
) -> None:
    rng = np.random.default_rng(seed)
    theta = task.initial_state.deployed.uniform(2, rng)
    goal, other = _joints(arm, home_rad, task, theta)
    begin = {
        "home": home_rad,
        "seated": _joints(arm, home_rad, task, SEATED)[0],
        "other": other,
        "far": home_rad + rng.uniform(-0.2, 0.2, 7),
    }[start]
    try:
        path = plan_placement(arm, start_rad=begin, goal_rad=goal, socket=SOCKET, limits=limits)
    except PlacementError as refused:
        # With a gripper turned far by tilt and grasp together the elbow may have to swing over: that is refused, and
        # nothing moves.
        assert "another posture" in str(refused)
        reject()
    np.testing.assert_allclose(path.positions_rad[0], begin, atol=1e-12)
    np.testing.assert_allclose(path.positions_rad[-1], goal, atol=1e-12)
    assert not path.velocities_rad_s[[0, -1]].any()
    assert np.all(np.diff(path.times_s) > 0)
    spline, fine = path.spline, np.linspace(0.0, path.duration_s, 2000)
    assert np.all(np.abs(spline(fine, 1)) <= limits.velocity_rad_s + 1e-9)
    assert np.all(np.abs(spline(fine, 2)) <= limits.acceleration_rad_s2 + 1e-9)
    steps = np.linalg.norm(np.diff(arm.forward(spline(fine)).pos_m, axis=0), axis=1) / np.diff(fine)
    assert steps.max() <= limits.tool_speed_m_s * 1.01
    tip = _heights(arm, task, path)
    assert tip[:, 2].min() > min(tip[0, 2], tip[-1, 2]) - 1e-4


def test_seated_plug_leaves_the_hole_straight(
    task: Task, arm: ArmKinematics, home_rad: np.ndarray, limits: MotionLimits
) -> None:
    start = _joints(arm, home_rad, task, SEATED)[0]
    goal = _joints(arm, home_rad, task, np.array([[0.01, -0.01, 0.035, 0.2, -0.2, 0.6, 0, 0, 0]]))[0]
    tip = _heights(arm, task, plan_placement(arm, start_rad=start, goal_rad=goal, socket=SOCKET, limits=limits))
    in_hole = tip[tip[:, 2] < task.rim_height_m + 0.001]
    assert np.abs(in_hole[:, :2]).max() < 1e-4
    landing = tip[len(tip) // 2 :]
    last = landing[landing[:, 2] < 0.06]
    assert np.abs(last[:, :2] - tip[-1, :2]).max() < 1e-4


def test_slower_limits_take_longer(task: Task, arm: ArmKinematics, home_rad: np.ndarray, limits: MotionLimits) -> None:
    goal = _joints(arm, home_rad, task, np.array([[0, 0, 0.035, 0, 0, 0, 0, 0, 0.0]]))[0]
    slow = dataclasses.replace(limits, velocity_rad_s=limits.velocity_rad_s / 4)
    durations = [
        plan_placement(arm, start_rad=home_rad, goal_rad=goal, socket=SOCKET, limits=each).duration_s
        for each in (limits, slow)
    ]
    assert durations[1] > durations[0]


def test_way_through_the_own_column_is_refused(arm: ArmKinematics, home_rad: np.ndarray, limits: MotionLimits) -> None:
    behind = home_rad + np.eye(7)[0] * 2.8
    with pytest.raises(PlacementError, match="axis of the arm's base"):
        plan_placement(arm, start_rad=behind, goal_rad=home_rad, socket=SOCKET, limits=limits)


def test_other_posture_is_refused(task: Task, arm: ArmKinematics, home_rad: np.ndarray, limits: MotionLimits) -> None:
    goal = _joints(arm, home_rad, task, np.array([[0, 0, 0.035, 0, 0, 0, 0, 0, 0.0]]))[0]
    twisted = home_rad + np.eye(7)[6] * 1.9
    turned = home_rad + (np.eye(7)[2] - np.eye(7)[4]) * 2.5
    for start in (twisted, turned):
        path = None
        try:
            path = plan_placement(arm, start_rad=start, goal_rad=goal, socket=SOCKET, limits=limits)
        except PlacementError as error:
            assert "by hand" in str(error) or "home posture" in str(error)
        if path is not None:
            check_path(path, arm, limits)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"positions_rad": np.nan}, "not finite"),
        ({"velocities_rad_s": 0.1}, "at rest"),
        ({"times_s": 0.0}, "increasing"),
        ({"times_s": 0.05}, "velocity limit"),
        ({"positions_rad": 5.0}, "position limit"),
    ],
)
def test_check_path_names_what_is_broken(
    arm: ArmKinematics, home_rad: np.ndarray, limits: MotionLimits, change: dict[str, float], words: str
) -> None:
    good = JointPath(
        times_s=np.array([0.0, 5.0]),
        positions_rad=np.stack([home_rad, home_rad + 0.1]),
        velocities_rad_s=np.zeros((2, 7)),
    )
    check_path(good, arm, limits)
    (name, value), *_ = change.items()
    values = getattr(good, name).copy()
    values[-1] = value
    with pytest.raises(PlacementError, match=words):
        check_path(dataclasses.replace(good, **{name: values}), arm, limits)
