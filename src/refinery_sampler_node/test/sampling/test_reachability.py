"""Inverse kinematics reproduces the pose asked for, stays inside the limits, and says why a state is no good."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refinery.initial_state import GRASP, theta_of, tool_pose
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.rotations import Poses, angle_between_rad
from refinery.task import Task
from refinery_sampler_node.sampling.reachability import NEAR_LIMIT, NO_SOLUTION, TOUCHES, Reachability

SOCKET = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 0.1])


@settings(max_examples=25, deadline=None)
@example(seed=13919019, x=0.546875, y=0.0625, yaw=-0.125)
@given(seed=st.integers(0, 2**32 - 1), x=st.floats(0.45, 0.55), y=st.floats(-0.1, 0.1), yaw=st.floats(-0.17, 0.17))
def test_joints_reproduce_the_pose(
    task: Task,
    arm: ArmKinematics,
    home_rad: np.ndarray,
    reachability: Reachability,
    seed: int,
    x: float,
    y: float,
    yaw: float,
) -> None:
    socket = Poses.from_xyz_rpy([x, y, 0.1], [0.0, 0.0, yaw])
    theta = task.initial_state.deployed.uniform(32, np.random.default_rng(seed))
    reach = reachability.check(theta, socket)
    # One of some 10,000 needs a joint near its limit. None else is refused: with many more steps its joints are there.
    refused = reach.tool[~reach.ok]
    assert len(refused) <= 2, reach.rejected()
    for row in range(len(refused)):
        joints, _ = arm.inverse(refused[[row]], home_rad, iterations=2000)
        assert np.minimum(joints - arm.low_rad, arm.high_rad - joints).min() < 0.05, reach.rejected()
    theta, joints = theta[reach.ok], reach.joints_rad[reach.ok]
    found = arm.forward(joints)
    asked = tool_pose(socket, theta, task.plug.tool_from_plug)
    assert np.linalg.norm(found.pos_m - asked.pos_m, axis=1).max() < 1e-4
    assert angle_between_rad(found.quat_xyzw, asked.quat_xyzw).max() < 1e-3
    assert np.all(joints - arm.low_rad >= 0.05) and np.all(arm.high_rad - joints >= 0.05)
    back = theta_of(socket, found @ task.plug.tool_from_plug_at(theta[:, GRASP]), theta[:, GRASP])
    assert np.abs(back - theta).max() < 1e-4


def test_check_tool_agrees_with_check(task: Task, reachability: Reachability) -> None:
    theta = task.initial_state.deployed.uniform(8, np.random.default_rng(1))
    by_theta = reachability.check(theta, SOCKET)
    tools = tool_pose(SOCKET, theta, task.plug.tool_from_plug)
    by_tool = reachability.check_tool(tools, SOCKET, theta[:, GRASP])
    np.testing.assert_allclose(by_tool.joints_rad, by_theta.joints_rad, atol=1e-6)
    assert by_tool.reasons == by_theta.reasons


def test_a_part_that_hangs_lower_in_the_hand_touches_earlier(task: Task, reachability: Reachability) -> None:
    tool = tool_pose(SOCKET, np.array([[0, 0, 0.028, 0, 0, 0, 0, 0, 0.0]]), task.plug.tool_from_plug)
    assert reachability.check_tool(tool, SOCKET, np.zeros((1, 3))).reasons == ("",)
    # The tool looks down, so that a shift along its z lowers the plug.
    assert reachability.check_tool(tool, SOCKET, np.array([[0.0, 0.004, 0.0]])).reasons == (TOUCHES,)


@pytest.mark.parametrize(
    ("socket_xyz_m", "theta", "reason"),
    [
        ([1.5, 0.0, 0.1], [0, 0, 0.035, 0, 0, 0], NO_SOLUTION),
        ([0.5, 0.0, 0.1], [0, 0, 0.024, 0, 0, 0], TOUCHES),
        ([0.5, 0.0, 0.1], [0, 0, 0.0265, 0.5, 0, 0], TOUCHES),
        ([0.5, 0.0, 0.1], [0, 0, 0.035, 0, 0, 0], ""),
        ([0.5, 0.0, 0.1], [0.2, 0, 0.0, 0, 0, 0], ""),
    ],
)
def test_reasons(reachability: Reachability, socket_xyz_m: list[float], theta: list[float], reason: str) -> None:
    socket = Poses.from_xyz_rpy(socket_xyz_m, [0.0, 0.0, 0.0])
    reach = reachability.check(np.array([[*theta, 0, 0, 0]], dtype=float), socket)
    assert reach.reasons == (reason,)
    assert bool(reach.ok[0]) == (reason == "")
    assert dict(reach.rejected()) == ({reason: 1} if reason else {})


def test_margin_to_joint_limits(task: Task, part: PartGeometry, arm: ArmKinematics, home_rad: np.ndarray) -> None:
    greedy = Reachability(task, part, arm, home_rad, limit_margin_rad=1.5)
    assert greedy.check(np.array([[0, 0, 0.035, 0, 0, 0, 0, 0, 0.0]]), SOCKET).reasons == (NEAR_LIMIT,)
