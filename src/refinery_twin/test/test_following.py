"""When a trajectory counts as followed, and when it does not."""

from __future__ import annotations

import numpy as np
import pytest
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from hypothesis import given
from hypothesis import strategies as st
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from refinery.errors import ConfigError, RefineryError
from refinery_ros.conversions import duration_message
from refinery_sim.trajectory import JointLimits, plan
from refinery_twin.follow_goal import FollowGoalError, check_goal, tolerances_of
from refinery_twin.following import GOAL_POSITION_RAD, STOPPED_RAD_S, FollowEnd, Following, Tolerance, Tolerances

NAMES = [f"panda_joint{i}" for i in range(1, 8)]
LIMITS = JointLimits(low_rad=np.full(7, -3.0), high_rad=np.full(7, 3.0), velocity_rad_s=np.full(7, 3.0))
GOAL = np.full(7, 0.5)
DURATION_S = 2.0
START_S = 10.0


def following(**tolerances) -> Following:
    way = plan(times_s=[DURATION_S], positions_rad=[GOAL], start_rad=np.zeros(7), limits=LIMITS)
    return Following(way, START_S, Tolerances(**tolerances))


def end_at(job: Following, time_s: float, joints=GOAL, speeds=(0.0,) * 7) -> FollowEnd | None:
    progress = job.progress(START_S + time_s, np.asarray(joints), np.asarray(speeds))
    assert bool(progress.reason) == (progress.end is not None)
    return progress.end


def test_it_is_reached_at_the_end_inside_the_tolerances_only():
    job = following()
    assert end_at(job, DURATION_S - 0.001) is None, "there already, but its time is not over"
    assert end_at(job, DURATION_S, GOAL + 2 * GOAL_POSITION_RAD) is None
    assert end_at(job, DURATION_S, speeds=np.full(7, 2 * STOPPED_RAD_S)) is None
    assert end_at(job, 1000.0, GOAL + 2 * GOAL_POSITION_RAD) is None, "no goal time: it waits for ever"
    assert end_at(job, DURATION_S, GOAL + 0.5 * GOAL_POSITION_RAD) is FollowEnd.REACHED


def test_the_path_has_no_tolerance_unless_the_goal_gives_one():
    assert end_at(following(), 1.0, np.full(7, -2.0)) is None
    job = following(path=Tolerance(position_rad=np.full(7, 0.1)))
    desired = job.progress(START_S + 1.0, GOAL, GOAL).desired_rad
    assert end_at(job, 1.0, desired + 0.05) is None
    assert end_at(job, 1.0, desired + 0.2) is FollowEnd.LEFT_PATH
    assert "joint 3 is 0.3 rad off" in job.progress(START_S + 1.0, desired + 0.3 * np.eye(7)[2], GOAL).reason


def test_a_missed_goal_ends_it_after_the_goal_time():
    job, aside = following(goal_time_s=0.5), GOAL + 0.01
    assert end_at(job, DURATION_S + 0.4, aside) is None
    assert end_at(job, DURATION_S + 0.6, aside) is FollowEnd.MISSED_GOAL


@given(st.floats(0, 5), st.lists(st.floats(-1, 1), min_size=7, max_size=7))
def test_progress_says_what_was_asked(time_s, offset):
    progress = following().progress(START_S + time_s, GOAL + np.array(offset), np.zeros(7))
    assert progress.elapsed_s == pytest.approx(time_s)
    assert np.all((progress.desired_rad >= -1e-12) & (progress.desired_rad <= GOAL + 1e-12))
    if time_s < DURATION_S:
        assert progress.end is None


@pytest.mark.parametrize("values", [np.full(6, 0.1), np.full(7, -0.1), np.full(7, np.nan)])
def test_tolerances_are_seven_numbers_that_are_not_negative(values):
    with pytest.raises(ConfigError, match="seven numbers >= 0"):
        Tolerance(position_rad=values)


def goal(times=(1.0,), names=NAMES, stamp_s=0.0, **point) -> FollowJointTrajectory.Goal:
    points = [
        JointTrajectoryPoint(**{"positions": [0.0] * 7, "time_from_start": duration_message(time_s), **point})
        for time_s in times
    ]
    message = JointTrajectory(joint_names=list(names), points=points)
    stamp = duration_message(stamp_s)
    message.header.stamp.sec, message.header.stamp.nanosec = stamp.sec, stamp.nanosec
    return FollowJointTrajectory.Goal(trajectory=message)


def test_good_goals_pass():
    check_goal(goal(), NAMES, 100.0)
    check_goal(goal(names=NAMES[::-1]), NAMES, 100.0)
    check_goal(goal(times=(0.0, 1.0, 2.0)), NAMES, 100.0)
    check_goal(goal(stamp_s=99.5), NAMES, 100.0)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (goal(names=NAMES[:6]), "INVALID_JOINTS"),
        (goal(names=[*NAMES[:6], "panda_finger_joint1"]), "INVALID_JOINTS"),
        (goal(names=[*NAMES[:6], NAMES[0]]), "INVALID_JOINTS"),
        (goal(times=()), "INVALID_GOAL"),
        (goal(times=(1.0, 1.0)), "INVALID_GOAL"),
        (goal(times=(2.0, 1.0)), "INVALID_GOAL"),
        (goal(positions=[0.0] * 6), "INVALID_GOAL"),
        (goal(velocities=[0.0] * 8), "INVALID_GOAL"),
        (goal(stamp_s=50.0), "OLD_HEADER_TIMESTAMP"),
    ],
)
def test_bad_goals_are_refused_by_the_name_of_their_code(bad, code):
    with pytest.raises(FollowGoalError, match=f"{code}: .*expected") as caught:
        check_goal(bad, NAMES, 100.0)
    assert caught.value.code == code
    assert hasattr(FollowJointTrajectory.Result, code)


def test_tolerances_are_the_controller_s_unless_the_goal_says_more():
    default = tolerances_of(goal(), NAMES)
    assert not default.path.position_rad.any() and default.goal_time_s == 0.0
    np.testing.assert_array_equal(default.goal.position_rad, np.full(7, GOAL_POSITION_RAD))
    message = goal()
    message.path_tolerance = [JointTolerance(name=NAMES[1], position=0.2, velocity=0.3)]
    message.goal_tolerance = [JointTolerance(name=NAMES[0], position=-1.0), JointTolerance(name=NAMES[2], velocity=0.5)]
    message.goal_time_tolerance = duration_message(0.25)
    asked = tolerances_of(message, NAMES)
    assert asked.path.position_rad.tolist() == [0, 0.2, 0, 0, 0, 0, 0]
    assert asked.path.velocity_rad_s.tolist() == [0, 0.3, 0, 0, 0, 0, 0]
    assert asked.goal.position_rad[0] == 0.0 and asked.goal.position_rad[1] == GOAL_POSITION_RAD
    assert asked.goal.velocity_rad_s[2] == 0.5 and asked.goal_time_s == 0.25


@pytest.mark.parametrize(
    "row", [JointTolerance(name="elbow", position=0.1), JointTolerance(name=NAMES[0], position=-0.5)]
)
def test_tolerances_that_make_no_sense_are_refused(row):
    message = goal()
    message.goal_tolerance = [row]
    with pytest.raises(RefineryError, match="goal_tolerance"):
        tolerances_of(message, NAMES)
