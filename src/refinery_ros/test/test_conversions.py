"""Conversions between messages and numbers: there and back, and the special cases of MoveIt."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses
from refinery_ros.conversions import (
    duration_message,
    pose_from_message,
    pose_message,
    pose_numbers,
    pose_stamped_message,
    seconds,
)


@given(time_s=st.floats(0.0, 1e6))
def test_a_duration_keeps_its_nanoseconds(time_s: float) -> None:
    message = duration_message(time_s)
    assert 0 <= message.nanosec < 1_000_000_000
    assert seconds(message) == pytest.approx(time_s, abs=1e-9 + 1e-15 * time_s)


def test_a_duration_rounds_up_to_a_whole_second() -> None:
    message = duration_message(1.9999999999)
    assert (message.sec, message.nanosec) == (2, 0)


def test_a_stamp_in_seconds() -> None:
    assert seconds(Time(sec=3, nanosec=500_000_000)) == 3.5


@given(xyz=st.tuples(*[st.floats(-2, 2)] * 3), rpy=st.tuples(*[st.floats(-3, 3)] * 3))
def test_a_pose_survives_both_ways_unchanged(xyz: tuple[float, ...], rpy: tuple[float, ...]) -> None:
    pose = Poses.from_xyz_rpy(xyz, rpy)
    message = pose_message(pose)
    back = pose_from_message(message)
    np.testing.assert_array_equal(back.pos_m, pose.pos_m)
    np.testing.assert_array_equal(back.quat_xyzw, pose.quat_xyzw)
    assert pose_numbers(message) == (tuple(pose.pos_m[0]), tuple(pose.quat_xyzw[0]))


def test_one_pose_of_a_batch_with_frame_and_stamp() -> None:
    poses = Poses.from_xyz_rpy([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], np.zeros((2, 3)))
    message = pose_stamped_message(poses, "base", Time(sec=7), 1)
    assert (message.header.frame_id, message.header.stamp.sec, message.pose.position.y) == ("base", 7, 2.0)


def test_an_all_zero_quaternion_is_the_identity() -> None:
    message = Pose()
    message.orientation.w = 0.0
    np.testing.assert_array_equal(pose_from_message(message).quat_xyzw, [[0.0, 0.0, 0.0, 1.0]])
