"""The planning model is where the profile's kinematics and the twin's MuJoCo arm are."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.rotations import angle_between_rad, xyzw_from_wxyz
from refinery.task import Task
from refinery_sim.model import build_model
from refinery_twin.planning import Planner
from refinery_twin.planning.arm_links import finger_joints, links, neighbours, urdf


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_forward_kinematics_agree_with_the_profile(one_planner: Planner, seed: int) -> None:
    kinematics = one_planner.profile.arm_kinematics()
    joints = np.random.default_rng(seed).uniform(kinematics.low_rad, kinematics.high_rad)
    ours, theirs = kinematics.forward(joints), one_planner.forward(joints)
    np.testing.assert_allclose(theirs.pos_m, ours.pos_m, atol=1e-6)
    assert angle_between_rad(theirs.quat_xyzw, ours.quat_xyzw)[0] < 1e-6


def test_links_are_where_the_simulated_arm_has_them(one_planner: Planner, task: Task) -> None:
    model, _ = build_model(task, timestep_s=0.001, scenery=False)
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    bodies = {f"panda_link{i}": f"panda_link{i}" for i in range(9)} | {"panda_hand": "hand"}
    for _ in range(20):
        joints = rng.uniform(one_planner.profile.limits.low_rad, one_planner.profile.limits.high_rad)
        data.qpos[:7] = joints
        mujoco.mj_kinematics(model, data)
        for link, body in bodies.items():
            pose = one_planner.forward(joints, link)
            np.testing.assert_allclose(pose.pos_m[0], data.body(body).xpos, atol=1e-6)
            assert angle_between_rad(pose.quat_xyzw, xyzw_from_wxyz(data.body(body).xquat)[None])[0] < 1e-5


@pytest.mark.parametrize("robot", ["twin", "panda", "fr3"])
def test_names_follow_the_profile(robot: str) -> None:
    profile = load_robot_profile(robot)
    names = [link.name for link in links(profile)]
    assert names[0] == profile.frames.base and names[-1] == profile.frames.tool
    assert profile.frames.flange in names and len(set(names)) == len(names) == 13
    assert set(profile.moveit.touch_links) <= set(names)
    assert {name for pair in neighbours(profile) for name in pair} <= set(names)
    text = urdf(profile, Path("meshes"))
    assert all(f'<joint name="{name}"' in text for name in (*profile.joint_names, *finger_joints(profile)))


def test_joints_of_any_name_give_links_of_their_own(profile: RobotProfile) -> None:
    strange = dataclasses.replace(profile, joint_names=("a", "b", "c", "d", "e", "f", "g"))
    assert [link.name for link in links(strange)][1:8] == [f"{name}_link" for name in "abcdefg"]
