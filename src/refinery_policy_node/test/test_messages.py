"""The message that is filled again and again says what a fresh one would say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rclpy.time import Time

from refinery.rotations import Poses
from refinery.tick.pose import Pose
from refinery_policy_node.messages import TargetMessage
from refinery_ros.conversions import pose_stamped_message

MESSAGE = TargetMessage("base")


@given(
    xyz=arrays(float, 3, elements=st.floats(-2, 2)),
    rpy=arrays(float, 3, elements=st.floats(-3, 3)),
    scale=st.floats(0.999, 1.001),
    now_ns=st.integers(0, 2**31 * 10**9 - 1),
)
def test_a_filled_message_is_a_fresh_one(xyz: np.ndarray, rpy: np.ndarray, scale: float, now_ns: int) -> None:
    pose = Poses.from_xyz_rpy(xyz, rpy)
    fresh = pose_stamped_message(pose, "base", Time(nanoseconds=now_ns).to_msg())
    scaled = Poses(pos_m=pose.pos_m, quat_xyzw=scale * pose.quat_xyzw)
    filled = MESSAGE.filled(Pose.of(scaled), now_ns)
    assert filled.header == fresh.header
    assert filled.pose.position == fresh.pose.position
    for axis in "xyzw":
        assert abs(getattr(filled.pose.orientation, axis) - getattr(fresh.pose.orientation, axis)) < 1e-15
