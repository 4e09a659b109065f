"""The trajectory controller's action, on real messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from moveit_harness import MoveItClient, running_cell
from trajectory_msgs.msg import JointTrajectory

from refinery_ros.conversions import duration_message

pytestmark = pytest.mark.ros
RESULT = FollowJointTrajectory.Result
STEP = np.array([0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
LONG_S = 12.0
"""Of a motion that is ended on its way, [s] of simulated time: a test that is held up must not find it at its end."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, task_file: Path) -> Iterator[MoveItClient]:
    folder = tmp_path_factory.mktemp("follow")
    with running_cell(folder, move_group=False, realtime_factor=4.0, seed=3, task=task_file) as client:
        yield client


@pytest.fixture
def client(running: MoveItClient) -> MoveItClient:
    """The cell at the start of trial 3, the arm at home under the trajectory controller."""
    assert running.trial(3).success
    running.fresh()
    return running


def expect_log(client: MoveItClient, text: str) -> None:
    client.wait_for(lambda: text in client.logs["twin"].read_text(), f"line with {text!r} in the twin's log")


def test_a_goal_is_followed_to_its_end_with_feedback(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.follow(start + STEP, 1.0)
    answer = goal.result()
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_SUCCEEDED, RESULT.SUCCESSFUL)
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, start + STEP, atol=1e-3)
    # Feedback and result are different topics: the result may arrive first, and a client that stalls loses feedback.
    client.wait_for(
        lambda: [f for f in goal.feedback if f.desired.time_from_start.sec == 1], "feedback of the last state"
    )
    assert len(goal.feedback) > 5
    last = goal.feedback[-1]
    assert list(last.joint_names) == list(client.profile.joint_names)
    np.testing.assert_allclose(last.error.positions, np.subtract(last.desired.positions, last.actual.positions))
    times = [f.desired.time_from_start.sec + f.desired.time_from_start.nanosec * 1e-9 for f in goal.feedback[:-1]]
    assert np.diff(times).min() >= 0.0499 and np.median(np.diff(times)) == pytest.approx(0.05, abs=0.0051)


def test_joints_come_in_any_order_and_accelerations_are_taken(client: MoveItClient) -> None:
    start = client.joints_rad
    way = client.way((start + STEP)[::-1], 1.0)
    way.joint_names = way.joint_names[::-1]
    way.points[0].accelerations = [0.0] * 7
    answer = client.send(FollowJointTrajectory, FollowJointTrajectory.Goal(trajectory=way)).result()
    assert answer.status == GoalStatus.STATUS_SUCCEEDED
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, start + STEP, atol=1e-3)


def test_goals_the_controller_does_not_take_are_rejected(client: MoveItClient) -> None:
    start = client.joints_rad
    wrong, empty, old, moving = (client.way(start, 1.0) for _ in range(4))
    moving.points[-1].velocities[3] = 1e-4
    wrong.joint_names[0] = "elbow"
    empty.points = []
    old.header.stamp.nanosec = 1
    client.spin_sim(1.5)
    for way, code in (
        (wrong, "INVALID_JOINTS"),
        (empty, "INVALID_GOAL: trajectory.points"),
        (old, "OLD_HEADER_TIMESTAMP"),
        (moving, "INVALID_GOAL: velocities"),
    ):
        assert not client.send(FollowJointTrajectory, FollowJointTrajectory.Goal(trajectory=way)).accepted
        expect_log(client, f"goal rejected: {code}")
    assert client.impedance(True).ok
    assert not client.follow(start, 1.0).accepted
    expect_log(client, "is not active; switch controllers first")
    assert client.impedance(False).ok
    assert client.follow(start, 0.2).result().status == GoalStatus.STATUS_SUCCEEDED


def test_with_no_controller_active_nothing_moves_the_arm(client: MoveItClient) -> None:
    start, names = client.joints_rad, client.profile.controllers
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    assert client.switch([], [names.trajectory]).ok
    assert goal.result().result.error_string == "Current goal cancelled during deactivate transition."
    client.spin_sim(0.5)
    held = client.joints_rad
    assert not client.follow(start, 1.0).accepted
    client.send_trajectory(start, 1)
    expect_log(client, "joint trajectory refused: the trajectory controller is not active")
    client.spin_sim(1.5)
    np.testing.assert_allclose(client.joints_rad, held, atol=1e-3)
    assert client.switch([names.trajectory], []).ok
    client.spin_sim(0.5)
    np.testing.assert_allclose(client.joints_rad, held, atol=1e-3)
    assert client.follow(start, 1.0).result().status == GoalStatus.STATUS_SUCCEEDED


def test_a_restart_of_the_controller_ends_its_goal(client: MoveItClient) -> None:
    start, trajectory = client.joints_rad, client.profile.controllers.trajectory
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    assert client.switch([trajectory], [trajectory]).ok
    assert goal.result().status == GoalStatus.STATUS_ABORTED
    assert client.controllers()[trajectory] == "active"


def test_an_empty_trajectory_stops_nothing(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.follow(start + STEP, 1.0)
    client.wait_moving(start)
    client.trajectory_out.publish(JointTrajectory(joint_names=list(client.profile.joint_names)))
    expect_log(client, "joint trajectory refused: points: expected at least one")
    assert goal.result().status == GoalStatus.STATUS_SUCCEEDED


def test_cancelling_all_goals_by_somebody_else_holds_the_arm(client: MoveItClient) -> None:
    start = client.joints_rad
    name = f"{client.profile.follow_joint_trajectory}/_action/cancel_goal"
    everything = client.node.create_client(CancelGoal, name)
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    answer = client._call(everything, CancelGoal.Request())
    assert answer.return_code == CancelGoal.Response.ERROR_NONE and len(answer.goals_canceling) == 1
    assert goal.result().status == GoalStatus.STATUS_CANCELED
    client.spin_sim(0.3)
    held = client.joints_rad
    assert held[0] - start[0] < 0.9 * STEP[0]
    client.spin_sim(1.0)
    np.testing.assert_allclose(client.joints_rad, held, atol=1e-3)
    again = client._call(everything, CancelGoal.Request())
    assert not again.goals_canceling, "nothing moves: there is nothing to cancel, and the answer says so"
    client.node.destroy_client(everything)


def test_what_the_arm_cannot_follow_is_aborted_with_a_sentence(client: MoveItClient) -> None:
    start = client.joints_rad
    for goal, sentence in (
        (client.follow(start + 3.0, 1.0), "limit"),
        (client.follow(start + STEP, 0.0), "starts"),
        (client.follow(start + STEP, 0.05), "velocity limit"),
    ):
        answer = goal.result()
        assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, RESULT.INVALID_GOAL)
        assert sentence in answer.result.error_string
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, start, atol=1e-4)


def test_path_tolerance(client: MoveItClient) -> None:
    start = client.joints_rad
    tight = [JointTolerance(name=client.profile.joint_names[0], position=1e-6)]
    answer = client.follow(start + STEP, 1.0, path_tolerance=tight).result()
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, RESULT.PATH_TOLERANCE_VIOLATED)
    assert "joint 1" in answer.result.error_string
    client.spin_sim(1.5)
    assert np.abs(client.joints_rad - start)[0] < 0.1, "it holds where it was"


def test_goal_tolerance_and_time(client: MoveItClient) -> None:
    tight = [JointTolerance(name=client.profile.joint_names[0], position=1e-12)]
    answer = client.follow(
        client.joints_rad + STEP, 0.5, goal_tolerance=tight, goal_time_tolerance=duration_message(0.05)
    ).result()
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, RESULT.GOAL_TOLERANCE_VIOLATED)
    assert "after the end of the trajectory" in answer.result.error_string


def test_nonsense_tolerances_fall_back_to_the_controller_s(client: MoveItClient) -> None:
    odd = [JointTolerance(name="elbow", position=0.1)]
    assert client.follow(client.joints_rad + STEP, 0.5, goal_tolerance=odd).result().status == 4
    expect_log(client, "the controller's own tolerances apply")


def test_cancel_holds_the_arm(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    goal.cancel()
    assert goal.result().status == GoalStatus.STATUS_CANCELED
    client.spin_sim(0.3)
    held = client.joints_rad
    assert held[0] - start[0] < 0.9 * STEP[0]
    client.spin_sim(1.0)
    np.testing.assert_allclose(client.joints_rad, held, atol=1e-3)


def test_a_new_goal_takes_the_place_of_the_old(client: MoveItClient) -> None:
    start = client.joints_rad
    first = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    second = client.follow(start, 1.0)
    answer = first.result()
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, RESULT.INVALID_GOAL)
    assert answer.result.error_string == "Current goal cancelled due to new incoming action."
    assert second.result().status == GoalStatus.STATUS_SUCCEEDED
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, start, atol=1e-3)


def test_switching_the_controller_off_aborts(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    assert client.impedance(True).ok
    answer = goal.result()
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, RESULT.INVALID_GOAL)
    assert answer.result.error_string == "Current goal cancelled during deactivate transition."


def test_a_topic_message_or_a_trial_takes_the_place_of_a_goal(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    client.send_trajectory(start, 1)
    assert "has replaced" in goal.result().result.error_string
    client.spin_sim(1.5)
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    assert client.trial(3).success
    assert goal.result().status == GoalStatus.STATUS_ABORTED


def test_a_reflex_aborts_and_rejects(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.follow(start + STEP, LONG_S)
    client.wait_moving(start)
    assert client.inject("reflex").success
    assert goal.result().result.error_string == "Current goal cancelled during deactivate transition."
    assert not client.follow(start, 1.0).accepted
    expect_log(client, "goal rejected: the robot does not move")
    client.send_trajectory(start, 1)
    expect_log(client, "joint trajectory refused: the robot does not move")
    assert set(client.controllers().values()) == {"inactive"}
    names = client.profile.controllers
    for name in (names.trajectory, names.impedance):
        answer = client.switch([name], [])
        assert not answer.ok and "is not available" in answer.message
    client.inject("")
    client.spin_sim(0.1)
    assert client.follow(start, 1.0).result().status == GoalStatus.STATUS_SUCCEEDED
