"""MoveIt's names on real messages: plans, executions, and every error code that can be the answer."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from moveit_harness import MoveItClient, in_domain, running_cell, start_move_group, wait_for_log
from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from moveit_msgs.msg import Constraints, GenericTrajectory, RobotState, RobotTrajectory
from moveit_msgs.srv import GetCartesianPath, GetMotionPlan, GetPositionIK
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import MultiDOFJointTrajectoryPoint
from twin_harness import PATIENCE_S, stop_twin

from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses, angle_between_rad
from refinery_ros.conversions import duration_message, pose_message
from refinery_ros.testing.graph import own_domain
from refinery_twin.planning import MoveItErrorCode

pytestmark = pytest.mark.ros
GROUP, TIP, BASE = "panda_arm", "panda_hand_tcp", "panda_link0"
STEP = np.array([0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
FAR_STEP = np.array([1.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
SLOWLY = 0.02
"""Of the velocity limits, where a motion is ended on its way: a test that is held up must not find it at its end."""
FAR = Poses.from_xyz_rpy((2.0, 0.0, 0.5), (np.pi, 0.0, 0.0))
BESIDE = Poses.from_xyz_rpy((0.4, 0.25, 0.4), (np.pi, 0.0, 0.3))
SUCCEEDED, CANCELED, ABORTED = GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, task_file: Path) -> Iterator[MoveItClient]:
    folder = tmp_path_factory.mktemp("move_group")
    with running_cell(folder, move_group=True, realtime_factor=4.0, seed=3, task=task_file) as client:
        yield client


@pytest.fixture
def client(running: MoveItClient) -> MoveItClient:
    """The cell at the start of trial 3, the arm at home, nothing in the planning scene."""
    assert running.trial(3).success
    assert running.apply(is_diff=False)
    running.fresh()
    return running


def execute(client: MoveItClient, trajectory, **more):
    goal = ExecuteTrajectory.Goal(trajectory=trajectory, **more)
    return client.send(ExecuteTrajectory, goal)


def way(client: MoveItClient, goal_rad, duration_s: float) -> RobotTrajectory:
    """Return a trajectory from where the arm is."""
    trajectory = client.way(goal_rad, duration_s)
    start = client.way(client.joints_rad, 0.0)
    trajectory.points = [start.points[0], trajectory.points[0]]
    return RobotTrajectory(joint_trajectory=trajectory)


def positions(trajectory: RobotTrajectory) -> np.ndarray:
    return np.array([point.positions for point in trajectory.joint_trajectory.points])


def ends(client: MoveItClient, goal, status: int, code: MoveItErrorCode) -> None:
    answer = goal.result()
    assert client.code_of(answer.result.error_code) == code, answer.result.error_code
    assert answer.status == status


def wall(client: MoveItClient, angle_rad: float):
    """Return a wall in the way of the arm when its first joint turns by an angle from home."""
    x, y, z = client.tool_at(np.array(client.profile.home_rad) + angle_rad * np.eye(7)[0]).pos_m[0]
    return client.box("wall", (0.05, 0.05, 0.6), (x, y, z))


def test_a_plan_to_joints_starts_here_and_repeats_exactly(client: MoveItClient) -> None:
    goal = client.joint_goal(client.joints_rad + STEP)
    first = client.move(goal, plan_only=True)
    answer = first.result()
    assert answer.status == SUCCEEDED and client.code_of(answer.result.error_code) == MoveItErrorCode.SUCCESS
    assert [feedback.state for feedback in first.feedback] == ["PLANNING"]
    result = answer.result
    assert list(result.trajectory_start.joint_state.name) == list(client.profile.joint_names)
    np.testing.assert_allclose(result.trajectory_start.joint_state.position, client.joints_rad, atol=1e-4)
    start_rad = result.trajectory_start.joint_state.position
    np.testing.assert_allclose(positions(result.planned_trajectory)[0], start_rad, atol=1e-12)
    np.testing.assert_allclose(positions(result.planned_trajectory)[-1], client.joints_rad + STEP, atol=1e-4)
    trajectory = result.planned_trajectory.joint_trajectory
    assert trajectory.header.frame_id == BASE and trajectory.header.stamp.sec == 0
    assert not any(trajectory.points[0].velocities) and not any(trajectory.points[-1].velocities)
    assert result.planning_time > 0 and not result.executed_trajectory.joint_trajectory.points
    start = RobotState()
    start.joint_state.name = list(client.profile.joint_names)
    start.joint_state.position = list(client.profile.home_rad)
    again = [client.move(client.pose_goal(BESIDE), plan_only=True, start_state=start).result().result for _ in range(2)]
    assert again[0].planned_trajectory == again[1].planned_trajectory
    np.testing.assert_allclose(positions(again[0].planned_trajectory)[0], client.profile.home_rad, atol=1e-12)


def test_plan_and_execute_arrives(client: MoveItClient) -> None:
    goal = client.move(client.pose_goal(BESIDE))
    answer = goal.result()
    assert answer.status == SUCCEEDED, answer.result.error_code
    assert [feedback.state for feedback in goal.feedback] == ["PLANNING", "MONITOR"]
    wanted, executed = positions(answer.result.planned_trajectory)[-1], positions(answer.result.executed_trajectory)
    assert len(executed) > 5
    np.testing.assert_allclose(executed[-1], wanted, atol=1e-3)
    client.spin_sim(0.2)
    np.testing.assert_allclose(client.joints_rad, wanted, atol=1e-3)
    reached = client.tool_at(client.joints_rad)
    assert np.linalg.norm(reached.pos_m - BESIDE.pos_m) < 1e-3
    assert angle_between_rad(reached.quat_xyzw, BESIDE.quat_xyzw)[0] < 2e-3
    # There already: MoveIt neither plans nor moves then.
    answer = client.move(client.pose_goal(reached, tolerance=0.01)).result()
    assert answer.status == SUCCEEDED and "satisfied already" in answer.result.error_code.message
    assert not answer.result.planned_trajectory.joint_trajectory.points


def test_scaling_zero_is_one_and_one_of_several_goals_is_enough(client: MoveItClient) -> None:
    goals = [client.pose_goal(FAR), client.joint_goal(client.joints_rad + STEP)]
    times = []
    for factor in (0.0, 1.0, 0.25):
        request = {"max_velocity_scaling_factor": factor, "max_acceleration_scaling_factor": factor}
        result = client.move(*goals, plan_only=True, **request).result().result
        last = result.planned_trajectory.joint_trajectory.points[-1].time_from_start
        times.append(last.sec + last.nanosec * 1e-9)
    assert times[0] == pytest.approx(times[1], rel=1e-3) and times[2] > 1.8 * times[0]


def test_the_plan_service_answers_the_same(client: MoveItClient) -> None:
    request = client.move_goal(client.joint_goal(client.joints_rad + STEP)).request
    answer = client.ask(GetMotionPlan, GetMotionPlan.Request(motion_plan_request=request)).motion_plan_response
    assert client.code_of(answer.error_code) == MoveItErrorCode.SUCCESS and answer.group_name == GROUP
    np.testing.assert_allclose(positions(answer.trajectory)[-1], client.joints_rad + STEP, atol=1e-4)
    request.group_name = "leg"
    answer = client.ask(GetMotionPlan, GetMotionPlan.Request(motion_plan_request=request)).motion_plan_response
    assert client.code_of(answer.error_code) == MoveItErrorCode.INVALID_GROUP_NAME


def test_requests_that_make_no_sense_are_refused(client: MoveItClient) -> None:
    here = client.joints_rad
    good = client.joint_goal(here + STEP)
    elbow, fingers = RobotState(is_diff=True), RobotState(is_diff=True)
    elbow.joint_state.name, elbow.joint_state.position = ["elbow"], [0.0]
    fingers.joint_state.name, fingers.joint_state.position = ["panda_joint1"], [9.0]
    for code, goals, request in (
        (MoveItErrorCode.INVALID_GROUP_NAME, [good], {"group_name": "leg"}),
        (MoveItErrorCode.INVALID_GROUP_NAME, [good], {"group_name": ""}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [], {}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [Constraints()], {}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [client.joint_goal([0.0], names=["elbow"])], {}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [client.joint_goal(here + 9.0)], {}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [good], {"path_constraints": good}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [good], {"reference_trajectories": [GenericTrajectory()]}),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, [good], {"max_velocity_scaling_factor": 1.5}),
        (MoveItErrorCode.INVALID_LINK_NAME, [client.pose_goal(BESIDE, link="panda_elbow")], {}),
        (
            MoveItErrorCode.INVALID_LINK_NAME,
            [good],
            {"max_cartesian_speed": 0.1, "cartesian_speed_limited_link": "panda_link3"},
        ),
        (MoveItErrorCode.FRAME_TRANSFORM_FAILURE, [client.pose_goal(BESIDE, frame="world")], {}),
        (MoveItErrorCode.INVALID_ROBOT_STATE, [good], {"start_state": elbow}),
        (MoveItErrorCode.INVALID_ROBOT_STATE, [good], {"start_state": fingers}),
        (MoveItErrorCode.NO_IK_SOLUTION, [client.pose_goal(FAR)], {}),
        (MoveItErrorCode.FAILURE, [good], {"pipeline_id": "imaginary"}),
    ):
        assert client.code(*goals, **request) == code, (code, client.said)
        assert "expected" in client.said or "out of reach" in client.said or "limits" in client.said
    diff = client.move_goal(good, plan_only=True)
    gone = client.box("gone", (0.1, 0.1, 0.1), (0.0, 0.0, 0.0))
    gone.operation = type(gone).REMOVE
    diff.planning_options.planning_scene_diff.world.collision_objects = [gone]
    ends(client, client.send(MoveGroup, diff), ABORTED, MoveItErrorCode.INVALID_OBJECT_NAME)


def test_collisions_at_goal_and_start_and_on_the_way(client: MoveItClient) -> None:
    here = client.joints_rad
    goal = client.joint_goal(here + FAR_STEP)
    assert client.apply(wall(client, 1.3))
    assert client.code(goal) == MoveItErrorCode.GOAL_IN_COLLISION and "touches wall" in client.said
    assert client.code(client.pose_goal(client.tool_at(here + FAR_STEP))) == MoveItErrorCode.GOAL_IN_COLLISION
    assert client.apply(wall(client, 0.0))
    assert client.code(goal) == MoveItErrorCode.START_STATE_IN_COLLISION and "wall" in client.said
    assert client.apply(wall(client, 0.65))
    result = client.move(goal, plan_only=True).result().result
    assert client.code_of(result.error_code) == MoveItErrorCode.SUCCESS, "around it"
    assert len(positions(result.planned_trajectory)) > 2
    assert np.ptp(positions(result.planned_trajectory)[:, 1:4], axis=0).max() > 0.05
    assert client.code(goal, allowed_planning_time=1e-4) == MoveItErrorCode.TIMED_OUT


def test_a_scene_for_one_request_only(client: MoveItClient) -> None:
    request = client.move_goal(client.joint_goal(client.joints_rad + FAR_STEP), plan_only=True)
    request.planning_options.planning_scene_diff.world.collision_objects = [wall(client, 1.3)]
    ends(client, client.send(MoveGroup, request), ABORTED, MoveItErrorCode.GOAL_IN_COLLISION)
    assert not client.scene().world.collision_objects
    assert client.code(client.joint_goal(client.joints_rad + FAR_STEP)) == MoveItErrorCode.SUCCESS


def test_what_the_hand_holds_collides(client: MoveItClient) -> None:
    goal = client.joint_goal(client.joints_rad + STEP)
    x, y, z = client.tool_at(client.joints_rad + STEP).pos_m[0]
    assert client.apply(client.box("table", (0.1, 0.1, 0.1), (x, y, z - 0.2)))
    assert client.code(goal) == MoveItErrorCode.SUCCESS
    assert client.apply(attached=[client.held("rod", (0.02, 0.02, 0.3), (0.0, 0.0, 0.15))])
    assert client.code(goal) == MoveItErrorCode.GOAL_IN_COLLISION and "rod touches table" in client.said
    names = [held.object.id for held in client.scene().robot_state.attached_collision_objects]
    assert names == ["rod"]
    letting_go = client.held("rod", (0.1, 0.1, 0.1), (0.0, 0.0, 0.0))
    letting_go.object.operation = type(letting_go.object).REMOVE
    assert client.apply(attached=[letting_go])
    gone = client.box("rod", (0.1, 0.1, 0.1), (0.0, 0.0, 0.0))
    gone.operation = type(gone).REMOVE
    assert client.apply(gone) and client.code(goal) == MoveItErrorCode.SUCCESS
    assert not client.apply(gone), "it is not there any more"


def test_inverse_kinematics(client: MoveItClient) -> None:
    def solve(pose: Poses, frame: str = "", **more):
        request = GetPositionIK.Request()
        asked = request.ik_request
        asked.group_name, asked.avoid_collisions, asked.robot_state.is_diff = GROUP, True, True
        asked.pose_stamped, asked.timeout = client.stamped(pose, frame), duration_message(1.0)
        for name, value in more.items():
            setattr(asked, name, value)
        answer = client.ask(GetPositionIK, request)
        return client.code_of(answer.error_code), answer.solution.joint_state

    code, joints = solve(BESIDE)
    assert code == MoveItErrorCode.SUCCESS and list(joints.name) == list(client.profile.joint_names)
    np.testing.assert_allclose(client.tool_at(joints.position).pos_m, BESIDE.pos_m, atol=1e-4)
    code, joints = solve(Poses.from_xyz_rpy((0, 0, 0.01), (0, 0, 0)), TIP)
    assert code == MoveItErrorCode.SUCCESS and np.abs(np.array(joints.position) - client.joints_rad).max() < 0.1
    assert solve(FAR)[0] == MoveItErrorCode.NO_IK_SOLUTION
    assert solve(BESIDE, group_name="leg")[0] == MoveItErrorCode.INVALID_GROUP_NAME
    assert solve(BESIDE, ik_link_name="panda_elbow")[0] == MoveItErrorCode.INVALID_LINK_NAME
    two = [client.stamped(BESIDE)] * 2
    assert solve(BESIDE, pose_stamped_vector=two, ik_link_names=[TIP])[0] == MoveItErrorCode.INVALID_LINK_NAME
    assert solve(BESIDE, "world")[0] == MoveItErrorCode.FRAME_TRANSFORM_FAILURE
    constraints = client.joint_goal(client.joints_rad)
    assert solve(BESIDE, constraints=constraints)[0] == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    x, y, z = BESIDE.pos_m[0]
    assert client.apply(client.box("there", (0.1, 0.1, 0.1), (x, y, z)))
    assert solve(BESIDE)[0] == MoveItErrorCode.NO_IK_SOLUTION and "collide" in client.said
    assert solve(BESIDE, avoid_collisions=False)[0] == MoveItErrorCode.SUCCESS


def test_straight_ways_and_their_execution(client: MoveItClient) -> None:
    def straight(*waypoints: Poses, frame: str = BASE, **more):
        request = GetCartesianPath.Request(group_name=GROUP, link_name=TIP, max_step=0.01, avoid_collisions=True)
        request.header.frame_id, request.start_state.is_diff = frame, True
        request.waypoints = [pose_message(pose) for pose in waypoints]
        for name, value in more.items():
            setattr(request, name, value)
        answer = client.ask(GetCartesianPath, request)
        return client.code_of(answer.error_code), answer

    here = client.tool_at(client.joints_rad)
    down = Poses(pos_m=here.pos_m - [[0, 0, 0.1]], quat_xyzw=here.quat_xyzw)
    code, answer = straight(down)
    assert code == MoveItErrorCode.SUCCESS and answer.fraction == pytest.approx(1.0)
    np.testing.assert_allclose(answer.start_state.joint_state.position, client.joints_rad, atol=1e-4)
    tips = client.tool_at(positions(answer.solution)).pos_m
    np.testing.assert_allclose(tips[:, :2], np.repeat(here.pos_m[:, :2], len(tips), axis=0), atol=1e-3)
    ends(client, execute(client, answer.solution), SUCCEEDED, MoveItErrorCode.SUCCESS)
    client.fresh()
    np.testing.assert_allclose(client.tool_at(client.joints_rad).pos_m, down.pos_m, atol=1e-3)
    back = Poses.from_xyz_rpy((0.0, 0.0, -0.05), (0.0, 0.0, 0.0))
    code, answer = straight(back, back, frame=TIP)
    assert code == MoveItErrorCode.SUCCESS
    np.testing.assert_allclose(client.tool_at(positions(answer.solution)[-1]).pos_m, here.pos_m, atol=2e-3)
    x, y, z = client.tool_at(client.joints_rad).pos_m[0]
    assert client.apply(client.box("floor", (0.1, 0.1, 0.05), (x, y, z - 0.1)))
    far_down = Poses(pos_m=down.pos_m - [[0, 0, 0.1]], quat_xyzw=here.quat_xyzw)
    code, answer = straight(far_down)
    assert code == MoveItErrorCode.SUCCESS and 0.2 < answer.fraction < 0.9 and "floor" in client.said
    assert straight(far_down, avoid_collisions=False)[1].fraction == pytest.approx(1.0)
    assert straight(max_step=0.01)[1].fraction == 0.0, "no waypoints"
    assert straight(down, max_step=0.0)[0] == MoveItErrorCode.FAILURE
    assert straight(down, group_name="leg")[0] == MoveItErrorCode.INVALID_GROUP_NAME
    assert straight(down, link_name="panda_elbow")[0] == MoveItErrorCode.INVALID_LINK_NAME
    assert straight(down, frame="world")[0] == MoveItErrorCode.FRAME_TRANSFORM_FAILURE
    constraints = client.joint_goal(client.joints_rad)
    assert straight(down, path_constraints=constraints)[0] == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS


def test_trajectories_that_are_not_executed(client: MoveItClient) -> None:
    here = client.joints_rad
    good = way(client, here + STEP, 2.0)
    away, strange, broken, multi = (way(client, here + STEP, 2.0) for _ in range(4))
    away.joint_trajectory.points[0].positions[0] += 0.02
    strange.joint_trajectory.joint_names[0] = "elbow"
    broken.joint_trajectory.points[1].positions[0] = np.nan
    multi.multi_dof_joint_trajectory.points = [MultiDOFJointTrajectoryPoint()]
    for trajectory, sentence in (
        (away, "starts 0.02"),
        (strange, "no controller has the joints"),
        (broken, "7 finite positions"),
        (multi, "multi_dof"),
    ):
        ends(client, execute(client, trajectory), ABORTED, MoveItErrorCode.CONTROL_FAILED)
        assert sentence in client.said
    ends(client, execute(client, good, controller_names=["legs"]), ABORTED, MoveItErrorCode.CONTROL_FAILED)
    ends(client, execute(client, RobotTrajectory()), SUCCEEDED, MoveItErrorCode.SUCCESS)
    # What the planner would never make: the controller itself says no.
    ends(client, execute(client, way(client, here + STEP, 0.05)), ABORTED, MoveItErrorCode.CONTROL_FAILED)
    assert "velocity limit" in client.said
    assert client.apply(wall(client, 0.2))
    ends(client, execute(client, good), ABORTED, MoveItErrorCode.MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE)
    assert "wall" in client.said
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, here, atol=1e-3)


def test_a_wall_that_appears_on_the_way_stops_the_arm(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = execute(client, way(client, start + 2 * STEP, 20.0))
    client.wait_moving(start)
    assert client.apply(client.box("harmless", (0.1, 0.1, 0.1), (-0.8, 0.0, 0.5)))
    assert client.apply(wall(client, 0.8))
    ends(client, goal, ABORTED, MoveItErrorCode.MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE)
    client.spin_sim(0.5)
    assert client.joints_rad[0] < start[0] + 0.75


def test_cancel_while_moving_holds_the_arm(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.move(client.joint_goal(start + 2 * STEP), max_velocity_scaling_factor=SLOWLY)
    client.wait_moving(start)
    goal.cancel()
    ends(client, goal, CANCELED, MoveItErrorCode.PREEMPTED)
    client.spin_sim(0.5)
    held = client.joints_rad
    assert held[0] < start[0] + 0.7
    client.spin_sim(1.0)
    np.testing.assert_allclose(client.joints_rad, held, atol=1e-3)


def test_cancel_while_planning(client: MoveItClient) -> None:
    # A cage around the hand: the search goes on until its time is over.
    x, y, z = client.tool_at(client.joints_rad).pos_m[0]
    sides = [
        client.box(f"side{i}", size, (x + dx, y + dy, z))
        for i, (size, dx, dy) in enumerate(
            (
                ((0.02, 0.5, 0.3), 0.24, 0.0),
                ((0.02, 0.5, 0.3), -0.24, 0.0),
                ((0.5, 0.02, 0.3), 0.0, 0.24),
                ((0.5, 0.02, 0.3), 0.0, -0.24),
            )
        )
    ]
    assert client.apply(*sides, client.box("lid", (0.5, 0.5, 0.02), (x, y, z - 0.17)))
    goal = client.move(client.joint_goal(client.joints_rad + 3 * STEP), allowed_planning_time=3.0)
    goal.cancel()
    ends(client, goal, CANCELED, MoveItErrorCode.PREEMPTED)


def test_a_second_goal_takes_the_place_of_the_first(client: MoveItClient) -> None:
    start = client.joints_rad
    first = client.move(client.joint_goal(start + 2 * STEP), max_velocity_scaling_factor=SLOWLY)
    client.wait_moving(start)
    refused = client.move(client.joint_goal(start), group_name="leg")
    ends(client, refused, ABORTED, MoveItErrorCode.INVALID_GROUP_NAME)
    assert not first.done, "nonsense stops nobody"
    assert client.code(client.joint_goal(start)) == MoveItErrorCode.SUCCESS and not first.done, (
        "nor does planning alone"
    )
    second = client.move(client.joint_goal(start - STEP))
    ends(client, first, ABORTED, MoveItErrorCode.PREEMPTED)
    assert "another goal" in client.said
    ends(client, second, SUCCEEDED, MoveItErrorCode.SUCCESS)
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, start - STEP, atol=1e-3)


def test_the_controller_s_word_counts(client: MoveItClient) -> None:
    start = client.joints_rad
    assert client.impedance(True).ok
    ends(client, client.move(client.joint_goal(start + STEP)), ABORTED, MoveItErrorCode.CONTROL_FAILED)
    assert "is joint_trajectory_controller active?" in client.said
    impedance = client.profile.controllers.impedance
    assert client.switch([], [impedance]).ok
    ends(client, client.move(client.joint_goal(start + STEP)), ABORTED, MoveItErrorCode.CONTROL_FAILED)
    client.fresh()
    np.testing.assert_allclose(client.joints_rad, start, atol=1e-3)
    assert client.switch([client.profile.controllers.trajectory], []).ok
    goal = client.move(client.joint_goal(start + 2 * STEP), max_velocity_scaling_factor=SLOWLY)
    client.wait_moving(start)
    assert client.impedance(True).ok
    ends(client, goal, ABORTED, MoveItErrorCode.CONTROL_FAILED)
    assert "deactivate" in client.said
    assert client.trial(3).success
    client.fresh()
    goal = client.move(client.joint_goal(start + 2 * STEP), max_velocity_scaling_factor=SLOWLY)
    client.wait_moving(start)
    cancel = client.node.create_client(CancelGoal, f"{client.profile.follow_joint_trajectory}/_action/cancel_goal")
    client._call(cancel, CancelGoal.Request())
    ends(client, goal, ABORTED, MoveItErrorCode.PREEMPTED)
    assert "cancelled by another client" in client.said


def test_an_arm_that_does_not_arrive_times_out(client: MoveItClient, above_socket_rad: np.ndarray) -> None:
    aside = above_socket_rad + 0.06 * np.eye(7)[0]
    ends(client, client.move(client.joint_goal(aside)), SUCCEEDED, MoveItErrorCode.SUCCESS)
    client.fresh()
    tool = client.tool_at(client.joints_rad)
    below = Poses(pos_m=tool.pos_m - [[0, 0, 0.06]], quat_xyzw=tool.quat_xyzw)
    joints, reached = client.profile.arm_kinematics().inverse(below, client.joints_rad)
    assert reached.all()
    # The planner knows nothing of the socket plate that nobody put into its scene.
    ends(client, execute(client, way(client, joints[0], 1.0)), ABORTED, MoveItErrorCode.TIMED_OUT)
    assert "to end within 1.60 s" in client.said


def test_a_cell_that_falls_silent_is_noticed(client: MoveItClient) -> None:
    start = client.joints_rad
    goal = client.move(client.joint_goal(start + 2 * STEP), max_velocity_scaling_factor=SLOWLY)
    client.wait_moving(start)
    client.twin.send_signal(signal.SIGSTOP)
    try:
        ends(client, goal, ABORTED, MoveItErrorCode.ROBOT_STATE_STALE)
        assert client.code(client.joint_goal(start)) == MoveItErrorCode.ROBOT_STATE_STALE
        assert not client.apply(client.box("late", (0.1, 0.1, 0.1), (0.0, 1.0, 0.0)))
    finally:
        client.twin.send_signal(signal.SIGCONT)
    client.fresh()
    assert client.code(client.joint_goal(start)) == MoveItErrorCode.SUCCESS


def test_nothing_is_served_before_the_first_joint_state(tmp_path: Path) -> None:
    log = tmp_path / "move_group.log"
    with own_domain() as env, in_domain(env) as context:
        process = start_move_group(env, log, use_sim_time=False)
        node = rclpy.create_node("arm_of_a_test", context=context)
        try:
            wait_for_log(log, "waiting for the first joint state on /joint_states", process)
            asked = node.create_client(GetPositionIK, "compute_ik")
            assert not asked.wait_for_service(1.0) and "You can start planning" not in log.read_text()
            names = load_robot_profile("twin").joint_names
            out = node.create_publisher(JointState, "joint_states", 1)
            half, full = (JointState(name=names[:k], position=[0.1] * k) for k in (3, 7))
            out.publish(half)
            end = time.monotonic() + PATIENCE_S
            while not asked.wait_for_service(0.2):
                assert time.monotonic() < end, log.read_text()
                out.publish(full)
        finally:
            node.destroy_node()
            assert stop_twin(process) == 0, log.read_text()


@pytest.mark.parametrize(("profile", "sentence"), [("no_such_arm", "no_such_arm"), ("fr3", "use MoveIt itself")])
def test_a_profile_it_cannot_serve_ends_it_with_one_sentence(tmp_path: Path, profile: str, sentence: str) -> None:
    log = tmp_path / "move_group.log"
    with own_domain() as env:
        process: subprocess.Popen[bytes] = start_move_group(env, log, robot_profile=profile)
        assert process.wait(timeout=2 * PATIENCE_S) == 1
    text = log.read_text()
    assert sentence in text and "expected" in text and "Traceback" not in text
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
