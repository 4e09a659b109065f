import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.rotations import angle_between_rad, xyzw_from_wxyz
from refinery.task import load_task
from refinery_sim.model import build_model

PROFILE = load_robot_profile(config_file("robots", "twin"))
ARM = PROFILE.arm_kinematics()
joints = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).uniform(0.9 * ARM.low_rad, 0.9 * ARM.high_rad)
)


@pytest.fixture(scope="module")
def cell():
    model, at = build_model(load_task(config_file("tasks", "peg_rect")), timestep_s=0.002)
    return model, mujoco.MjData(model), at


def test_forward_agrees_with_the_simulated_arm(cell):
    model, data, at = cell
    rng = np.random.default_rng(0)
    for _ in range(50):
        q = rng.uniform(ARM.low_rad, ARM.high_rad)
        data.qpos[:7] = q
        mujoco.mj_forward(model, data)
        ours = ARM.forward(q)
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, data.site_xmat[at.tool_site])
        assert np.allclose(ours.pos_m[0], data.site_xpos[at.tool_site], atol=1e-9)
        assert angle_between_rad(ours.quat_xyzw, xyzw_from_wxyz(quat)[None])[0] < 1e-6


@given(joints)
@settings(max_examples=30, deadline=None)
def test_jacobian_is_the_derivative(q):
    step = 1e-6
    jacobian = ARM.jacobian(q)[0]
    for joint in range(7):
        moved = q.copy()
        moved[joint] += step
        a, b = ARM.forward(q), ARM.forward(moved)
        assert np.allclose((b.pos_m - a.pos_m)[0] / step, jacobian[:3, joint], atol=1e-4)
        turned = (b.rotation * a.rotation.inv()).as_rotvec()[0] / step
        assert np.allclose(turned, jacobian[3:, joint], atol=1e-4)


def test_inverse_reproduces_poses_near_home():
    rng = np.random.default_rng(1)
    home = np.asarray(PROFILE.home_rad)
    goal = ARM.forward(home + rng.uniform(-0.3, 0.3, (200, 7)))
    found, reached = ARM.inverse(goal, home)
    assert reached.mean() > 0.97
    now = ARM.forward(found[reached])
    assert np.abs(now.pos_m - goal.pos_m[reached]).max() < 1e-5
    assert np.all((found >= ARM.low_rad) & (found <= ARM.high_rad))


def test_out_of_reach_is_reported():
    goal = ARM.forward(np.asarray(PROFILE.home_rad))
    far = type(goal)(pos_m=goal.pos_m + np.array([2.0, 0, 0]), quat_xyzw=goal.quat_xyzw)
    assert not ARM.inverse(far, PROFILE.home_rad)[1].any()
