"""Fields read from serialized messages are those that rclpy reads, whatever the strings and sequences before them."""

from __future__ import annotations

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, JointState

from refinery_ros.cdr_fields import CdrFields

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
NUMBERS = st.lists(st.floats(allow_nan=False), max_size=4)
STATE = CdrFields(
    FrankaRobotState, ["header.stamp.sec", "header.stamp.nanosec", "robot_mode", "current_errors.*", "time"]
)


@given(data=st.data())
def test_the_state_of_a_robot(data: st.DataObject) -> None:
    message = FrankaRobotState(robot_mode=data.draw(st.integers(0, 255)), time=data.draw(st.floats(allow_nan=False)))
    message.header.stamp.sec, message.header.stamp.nanosec = data.draw(st.integers(-9, 9)), data.draw(st.integers(0, 9))
    for part in ("header", "o_t_ee.header", "o_ddp_ee_c.header", "inertia_load.header"):
        owner = message
        for name in part.split("."):
            owner = getattr(owner, name)
        owner.frame_id = data.draw(TEXT)
    for joints in (message.measured_joint_state, message.tau_ext_hat_filtered):
        joints.name, joints.position = data.draw(st.lists(TEXT, max_size=3)), data.draw(NUMBERS)
    names = list(message.current_errors.get_fields_and_field_types())
    for name in data.draw(st.sets(st.sampled_from(names))):
        setattr(message.current_errors, name, True)
    read = STATE.read(serialize_message(message))
    assert read.pop("header.stamp.sec") == message.header.stamp.sec
    assert read.pop("header.stamp.nanosec") == message.header.stamp.nanosec
    assert (read.pop("robot_mode"), read.pop("time")) == (message.robot_mode, message.time)
    assert read == {f"current_errors.{name}": getattr(message.current_errors, name) for name in names}


@given(frame=TEXT, model=TEXT, distortion=NUMBERS, width=st.integers(0, 2**32 - 1))
def test_numbers_of_other_sizes_behind_sequences(frame: str, model: str, distortion: list[float], width: int) -> None:
    message = CameraInfo(distortion_model=model, d=distortion, width=width, binning_y=7)
    message.header.frame_id, message.roi.do_rectify = frame, True
    fields = CdrFields(CameraInfo, ["width", "binning_y", "roi.do_rectify"])
    assert fields.read(serialize_message(message)) == {"width": width, "binning_y": 7, "roi.do_rectify": True}


def test_what_cannot_be_read_is_refused() -> None:
    for kind, name in ((JointState, "position"), (PoseStamped, "pose.position.w"), (PoseStamped, "header.frame_id")):
        with pytest.raises(ValueError, match=r"got none of this name"):
            CdrFields(kind, [name])
    with pytest.raises(ValueError, match=r"whose length is known, got sequence<diagnostic_msgs/DiagnosticStatus>"):
        CdrFields(DiagnosticArray, ["header.stamp.sec"])
    fields, data = CdrFields(PoseStamped, ["pose.orientation.w"]), serialize_message(PoseStamped())
    with pytest.raises(ValueError, match="too short"):
        fields.read(data[:-8])
    with pytest.raises(ValueError, match="little-endian"):
        fields.read(b"\0\0" + data[2:])
