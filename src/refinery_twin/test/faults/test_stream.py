import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, WrenchStamped
from scipy.spatial.transform import Rotation

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


def test_a_bias_stays_on_one_axis_of_the_wrench():
    out = run("wrench_bias", stream="wrench", make=lambda index: WrenchStamped())
    assert [messages[0].wrench.force.x for messages in out] == [0, 0, 35, 35, 0, 0]
    assert all(m.wrench.force.y == m.wrench.force.z == 0 for messages in out for m in messages)


TILTED = Rotation.from_euler("xyz", [3.0, 0.2, 0.7])


def tilted(index):
    message = pose(index)
    o = message.pose.orientation
    o.x, o.y, o.z, o.w = TILTED.as_quat()
    return message


def turns(out):
    """Rotations against the true orientation, seen in the socket's frame, (N, 3) [rad]; none but these may change."""
    assert positions(out) == [[index] for index in range(len(out))]
    orientations = [messages[0].pose.orientation for messages in out]
    return (TILTED.inv() * Rotation.from_quat([[o.x, o.y, o.z, o.w] for o in orientations])).as_rotvec()


@pytest.mark.parametrize(("kind", "every", "angle"), [("turn", 10, 0.5), ("flip", 20, math.pi)])
def test_single_estimates_are_turned_about_the_socket_s_axis(kind, every, angle):
    seen = turns(run(kind, count=50, begins=2, ends=44, stream="socket_pose", make=tilted))
    expected = np.zeros((50, 3))
    expected[2 + every - 1 : 44 : every, 2] = angle
    np.testing.assert_allclose(np.abs(seen), expected, atol=1e-9)


def test_the_angle_is_the_magnitude():
    seen = turns(run("turn", count=12, begins=0, ends=12, magnitude=0.2, stream="socket_pose", make=tilted))
    np.testing.assert_allclose(seen[9], [0, 0, 0.2], atol=1e-9)


def test_the_estimate_creeps_away_and_is_back_at_the_end():
    away = np.array(positions(run("drift", stream="socket_pose", ends=5)))[:, 0] - np.arange(6)
    np.testing.assert_allclose(away, [0, 0, 0, 0.01, 0.02, 0], atol=1e-12)
    seen = turns(run("drift_turn", stream="socket_pose", ends=5, make=tilted))
    np.testing.assert_allclose(seen, [[0, 0, 0.15 * t] for t in (0, 0, 0, 1, 2, 0)], atol=1e-9)
