"""The kinematics of arms with another number of joints than a Franka's."""

import numpy as np
import pytest

from refinery.kinematics import ArmKinematics
from refinery.rotations import Poses, angle_between_rad

UR5E = ArmKinematics(
    a_m=[0.0, 0.0, -0.425, -0.3922, 0.0, 0.0],
    d_m=[0.1625, 0.0, 0.0, 0.1333, 0.0997, 0.0996],
    alpha_rad=[0.0, np.pi / 2, 0.0, 0.0, np.pi / 2, -np.pi / 2],
    link7_from_tool=Poses.from_xyz_rpy((0.0, 0.0, 0.15), (0.0, 0.0, 0.0)),
    low_rad=[-2 * np.pi] * 6,
    high_rad=[2 * np.pi] * 6,
)
"""A UR5e by its maker's table, in the modified convention, with a tool 0.15 m long."""
HOME = np.array([0.0, -1.8, 1.9, -1.67, -1.57, 0.0])


def test_six_joints_stretched_out_reach_as_far_as_the_maker_says():
    # Along -x at zero: both arms, and beside them along -y shoulder, wrist and tool.
    stretched = UR5E.forward(np.zeros(6)).pos_m[0]
    assert stretched == pytest.approx([-0.425 - 0.3922, -0.1333 - 0.0996 - 0.15, 0.1625 - 0.0997], abs=1e-9)


def test_the_jacobian_is_the_derivative_of_six_joints():
    jacobian, step = UR5E.jacobian(HOME)[0], 1e-6
    assert jacobian.shape == (6, 6)
    for i in range(6):
        moved = UR5E.forward(HOME + step * np.eye(6)[i]).pos_m[0] - UR5E.forward(HOME).pos_m[0]
        assert jacobian[:3, i] == pytest.approx(moved / step, abs=1e-5)


def test_inverse_finds_back_what_six_joints_reach():
    rng = np.random.default_rng(0)
    goals = UR5E.forward(HOME + rng.uniform(-0.4, 0.4, size=(20, 6)))
    joints, reached = UR5E.inverse(goals, HOME)
    assert joints.shape == (20, 6) and reached.all()
    found = UR5E.forward(joints)
    assert np.abs(found.pos_m - goals.pos_m).max() < 1e-6
    assert angle_between_rad(found.quat_xyzw, goals.quat_xyzw).max() < 1e-5
