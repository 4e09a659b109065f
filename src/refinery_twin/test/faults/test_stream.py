import math

import pytest
from geometry_msgs.msg import PoseStamped, WrenchStamped

from refinery_twin.faults import FaultSchedule, FaultyStream


def pose(index):
    message = PoseStamped()
    message.header.frame_id, message.header.stamp.sec, message.pose.position.x = "base", index, float(index)
    message.pose.orientation.w = 1.0
    return message


def run(kind, count=6, begins=2, ends=4, magnitude=0.0, stream="pose", make=pose):
    """Messages 0, 1, ... one a second through a fault that is on from ``begins`` until ``ends``; what comes out."""
    schedule, faulty, out = FaultSchedule(), FaultyStream(stream), []
    schedule.plan(kind, stream, now_s=0.0, delay_s=begins, duration_s=ends - begins, magnitude=magnitude)
    for index in range(count):
        out.append(faulty.replace(make(index), schedule.active(index), float(index)))
    return out


def positions(out):
    return [[m.pose.position.x for m in messages] for messages in out]


def test_without_a_fault_the_very_message_goes_out():
    message = pose(0)
    assert FaultyStream("pose").replace(message, [], 0.0)[0] is message


def test_a_fault_of_another_stream_changes_nothing():
    schedule = FaultSchedule()
    schedule.plan("drop", "wrench", now_s=0.0)
    message = pose(0)
    assert FaultyStream("pose").replace(message, schedule.active(0.0), 0.0) == [message]


@pytest.mark.parametrize(
    ("kind", "magnitude", "expected"),
    [
        ("drop", 0, [[0], [1], [], [], [4], [5]]),
        ("freeze", 0, [[0], [1], [2], [2], [4], [5]]),
        ("reorder", 0, [[0], [1], [], [3, 2], [4], [5]]),
        ("delay", 1.0, [[0], [1], [], [2], [4], [5]]),
        ("jump", 0.5, [[0], [1], [2.5], [3.5], [4], [5]]),
    ],
)
def test_what_comes_out(kind, magnitude, expected):
    assert positions(run(kind, magnitude=magnitude)) == expected


def test_stamps_and_numbers_are_spoiled_and_the_original_is_not():
    message = pose(5)
    for kind, check in (
        ("nan", lambda m: math.isnan(m.pose.position.y)),
        ("bad_quaternion", lambda m: m.pose.orientation.w > 1.1),
        ("stamp_future", lambda m: m.header.stamp.nanosec == 500_000_000),
        ("stamp_past", lambda m: (m.header.stamp.sec, m.header.stamp.nanosec) == (4, 300_000_000)),
        ("wrong_frame", lambda m: m.header.frame_id != "base"),
    ):
        schedule = FaultSchedule()
        schedule.plan(kind, "pose", now_s=0.0)
        (spoiled,) = FaultyStream("pose").replace(message, schedule.active(0.0), 0.0)
        assert check(spoiled), kind
    assert message == pose(5)


def test_a_spike_is_on_the_wrench():
    def wrench(index):
        return WrenchStamped()

    out = run("wrench_spike", stream="wrench", make=wrench)
    assert [messages[0].wrench.force.z for messages in out] == [0, 0, 150, 150, 0, 0]
