"""Between two targets the commanded pose moves evenly; a jump is a jump."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from refinery.rotations import Poses, angle_between_rad
from refinery.tick.interpolator import TargetInterpolator
from refinery.tick.pose import Pose


@given(share=st.floats(-1, 3))
def test_it_moves_evenly_over_one_period_and_stays(share: float) -> None:
    a, b = Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0]), Poses.from_xyz_rpy([0.1, 0, 0.2], [0, 0, 0.4])
    between = TargetInterpolator(0.5)
    between.jump(Pose.of(a))
    between.aim(Pose.of(b), 10.0)
    pose, done = between.at(10.0 + share * 0.5).batch(), float(np.clip(share, 0, 1))
    np.testing.assert_allclose(pose.pos_m, done * b.pos_m, atol=1e-12)
    assert angle_between_rad(a.quat_xyzw, pose.quat_xyzw)[0] == pytest.approx(done * 0.4, abs=1e-9)


@given(share=st.floats(0, 1), angles=st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_it_turns_as_scipy_does(share: float, angles: list[float]) -> None:
    a, b = Poses.from_xyz_rpy([0, 0, 0], angles[:3]), Poses.from_xyz_rpy([0, 0, 0], angles[3:])
    # Half a turn can go either way.
    assume(angle_between_rad(a.quat_xyzw, b.quat_xyzw)[0] < 3.1)
    between = TargetInterpolator(1.0)
    between.jump(Pose.of(a))
    between.aim(Pose.of(b), 0.0)
    expected = Slerp([0.0, 1.0], Rotation.concatenate([a.rotation, b.rotation]))(share).as_quat()
    assert angle_between_rad(expected[None], between.at(share).batch().quat_xyzw)[0] == pytest.approx(0.0, abs=1e-7)


def test_a_new_aim_starts_from_where_it_is() -> None:
    a, b = Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0]), Poses.from_xyz_rpy([0.1, 0, 0], [0, 0, 0])
    between = TargetInterpolator(1.0)
    between.jump(Pose.of(a))
    between.aim(Pose.of(b), 0.0)
    between.aim(Pose.of(a), 0.5)
    assert between.at(0.5).xyz_m[0] == pytest.approx(0.05)
    between.jump(Pose.of(b))
    np.testing.assert_array_equal(between.at(0.6).xyz_m, b.pos_m[0])


def test_without_a_pose_there_is_nothing_to_command() -> None:
    with pytest.raises(RuntimeError, match="before"):
        TargetInterpolator(1.0).at(0.0)
