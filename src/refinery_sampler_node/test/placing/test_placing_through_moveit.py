"""Placements against a scripted move_group on the real wire: every refusal, the next sample, what is shown and sent."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from moveit_msgs.msg import CollisionObject, MoveItErrorCodes, RobotTrajectory
from sampler_harness import SOCKET, Cell, running_cell, stop_sampler

from refinery.initial_state import tool_pose
from refinery.kinematics import ArmKinematics
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import load_task
from refinery_msgs.msg import Outcome
from refinery_msgs.srv import SampleInit
from refinery_ros.conversions import pose_numbers, pose_stamped_message
from refinery_sampler_node.moveit.error_codes import MEANINGS, name_of
from refinery_sampler_node.moveit.scene import PART, TABLE
from refinery_sampler_node.moveit.scene import SOCKET as SOCKET_NAME

pytestmark = pytest.mark.ros
Code = MoveItErrorCodes
CANDIDATES = 5


@pytest.fixture(scope="module")
def running(profile: RobotProfile, arm: ArmKinematics, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    # The shipped task: the part is always held as intended, so that any sample can stand in for another.
    task = load_task(config_file("tasks", "peg_rect"))
    with running_cell(profile, arm, task, tmp_path_factory.mktemp("moveit")) as cell:
        yield cell
        assert stop_sampler(cell.process) == 0, cell.log.read_text()


def _try_all(cell: Cell, code: int, endpoint: str) -> str:
    cell.robot.moveit.script[endpoint] = [code] * CANDIDATES
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.REFUSED, placed.outcome.message
    assert "nothing moved" in placed.outcome.message and not cell.robot.received
    return str(placed.outcome.message)


@pytest.mark.parametrize("code", sorted(set(MEANINGS) - {Code.SUCCESS}), ids=name_of)
def test_every_code_of_a_plan_is_answered(cell: Cell, code: int) -> None:
    meaning = MEANINGS[code]
    message = _try_all(cell, code, "move_action")
    tries = cell.robot.moveit.names().count("move_action")
    assert tries == (CANDIDATES if meaning.try_next else 1)
    assert meaning.text in message and meaning.advice in message and f"scripted {code}" in message


@pytest.mark.parametrize("endpoint", ["compute_ik", "compute_cartesian_path"])
def test_samples_out_of_reach_are_listed(cell: Cell, endpoint: str) -> None:
    message = _try_all(cell, Code.NO_IK_SOLUTION, endpoint)
    assert f"any of {CANDIDATES} initial states" in message and "sample 1, 2, 3, 4, 5: " in message


def test_a_line_that_ends_early_is_refused(cell: Cell) -> None:
    cell.robot.moveit.fraction = 0.6
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.REFUSED and not cell.robot.received
    assert "only 60 % of the straight line" in placed.outcome.message


def test_the_next_sample_is_taken(cell: Cell, arm: ArmKinematics) -> None:
    script = cell.robot.moveit.script
    script["compute_ik"] = [Code.GOAL_IN_COLLISION]
    script["move_action"] = [Code.PLANNING_FAILED, Code.TIMED_OUT]
    placed = cell.client.place(seed=4)
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    assert "sample 4 by rank" in placed.outcome.message
    for word in ("sample 1: the arm would touch", "sample 2: no path was found", "sample 3: no answer in the time"):
        assert word in placed.outcome.message
    first = cell.client.sample(seed=4)
    assert list(placed.theta) != list(first.theta)
    reached = arm.forward(cell.robot.q)
    goal = tool_pose(SOCKET, np.array([placed.theta]), load_task(config_file("tasks", "peg_rect")).plug.tool_from_plug)
    assert np.linalg.norm(reached.pos_m - goal.pos_m) < 0.0015


def test_what_is_rejected_is_shown(cell: Cell) -> None:
    cell.robot.moveit.script["compute_ik"] = [Code.GOAL_IN_COLLISION]
    assert cell.client.place(seed=4).outcome.value == Outcome.SUCCESS

    def shown(kind: str) -> list[str]:
        return [each.text for each in cell.client.markers[-1].markers if each.ns == kind]

    cell.client.wait_for(lambda: len(shown("approach")) == 4, "markers of the approach")
    assert (len(shown("chosen")), len(shown("rejected"))) == (1, 1)
    assert any("1 rejected: the arm would touch something there" in text for text in shown("legend"))


def test_first_sample_is_the_one_that_sample_init_names(cell: Cell) -> None:
    named = cell.client.sample(seed=11, socket_pose=cell.socket_message())
    placed = cell.client.place(seed=11)
    assert placed.outcome.value == Outcome.SUCCESS and list(placed.theta) == list(named.theta)


def test_the_scene_is_there_before_anything_is_planned(cell: Cell, profile: RobotProfile) -> None:
    assert cell.client.place().outcome.value == Outcome.SUCCESS
    names, scenes = cell.robot.moveit.names(), cell.robot.moveit.scenes
    assert names == [
        *("apply_planning_scene", "compute_ik", "compute_ik"),
        *("apply_planning_scene", "move_action", "apply_planning_scene"),
        *("compute_cartesian_path", "execute_trajectory"),
    ]
    # The way to the stand-off is planned around a larger socket; goal and straight way are looked at as they are.
    sizes = [list(each.world.collision_objects[1].primitives[0].dimensions) for each in scenes]
    np.testing.assert_allclose(np.subtract(sizes[1], sizes[0]), [0.02, 0.02, 0.01])
    assert sizes[2] == sizes[0]
    scene = scenes[0]
    assert [each.id for each in scene.world.collision_objects] == [TABLE, SOCKET_NAME]
    (held,) = scene.robot_state.attached_collision_objects
    assert held.object.id == PART and tuple(held.touch_links) == profile.moveit.touch_links
    position, _ = pose_numbers(scene.world.collision_objects[1].pose)
    assert np.linalg.norm(np.array(position) - SOCKET.pos_m[0]) < 0.002


def test_a_scene_that_is_not_taken(cell: Cell) -> None:
    message = _try_all(cell, Code.FAILURE, "apply_planning_scene")
    assert "apply_planning_scene" in message and cell.robot.profile.moveit.tip_link in message


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (Code.CONTROL_FAILED, Outcome.FAILED),
        (Code.PREEMPTED, Outcome.CANCELLED),
        (Code.TIMED_OUT, Outcome.TIMED_OUT),
        (Code.CRASH, Outcome.STOPPED),
        (Code.INVALID_ROBOT_STATE, Outcome.FAILED),
    ],
    ids=str,
)
def test_execution_that_fails(cell: Cell, code: int, outcome: int) -> None:
    cell.robot.moveit.script["execute_trajectory"] = [code]
    placed = cell.client.place()
    assert placed.outcome.value == outcome, placed.outcome.message
    assert "execute_trajectory: " in placed.outcome.message and name_of(code) in placed.outcome.message
    assert placed.position_error_m > 0.01


@pytest.mark.parametrize("late", [True, False], ids=["late", "never"])
def test_an_arm_at_its_goal_is_placed_whenever_moveit_says_so(cell: Cell, late: bool) -> None:
    cell.robot.moveit.reporting = False
    handle = cell.client.start_moving()
    cell.client.wait_for(lambda: cell.robot.following and not cell.robot.following_s, "end of the way")
    if late:
        # Ten seconds of a cell that runs ten times as fast as the messages.
        cell.robot.speed = 10.0
        begin = time.monotonic()
        cell.client.wait_for(lambda: time.monotonic() > begin + 1.0, "a second")
        cell.robot.moveit.reporting = True
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    assert placed.position_error_m < 0.001
    # What MoveIt has not ended is cancelled, at MoveIt and at the controller.
    assert ("was cancelled" in placed.outcome.message) == (not late)
    assert cell.robot.moveit.cancelled == ([] if late else ["execute_trajectory"])
    assert bool(cell.robot.halts) == (not late)


def test_an_arm_that_leaves_its_goal_before_moveit_reports_is_not_placed(cell: Cell) -> None:
    cell.robot.moveit.reporting = False
    handle = cell.client.start_moving()
    cell.client.wait_for(
        lambda: any(each.phase == "settling" for each in cell.client.feedback) and not cell.robot.following_s, "arrival"
    )
    begin = time.monotonic()
    cell.client.wait_for(lambda: time.monotonic() > begin + 1.0, "a second")
    with cell.robot.lock:
        cell.robot.push(0.02)
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.FAILED, placed.outcome.message
    assert placed.position_error_m > 0.001


@pytest.mark.parametrize("deaf", ["MoveIt", "controller", "both"])
def test_a_halt_needs_only_one_that_listens(cell: Cell, deaf: str) -> None:
    handle = cell.client.start_moving()
    cell.robot.speed = 0.3
    cell.robot.moveit.stopping = deaf == "controller"
    cell.robot.obeying = deaf == "MoveIt"
    cell.client.wait_for(handle.cancel_goal_async().done, "answer to the cancel")
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.CANCELLED, placed.outcome.message
    assert ("THE ARM IS STILL MOVING" in placed.outcome.message) == (deaf == "both")
    assert bool(np.abs(cell.robot.v).max() > 0.02) == (deaf == "both")
    # As long as it moves it is asked again.
    assert cell.robot.halts >= (10 if deaf == "both" else 1)


def test_a_motion_that_is_passed_on_after_the_halt_is_halted_too(cell: Cell) -> None:
    cell.robot.moveit.passing = lambda: cell.robot.halts >= 2
    cell.robot.moveit.stopping = False
    begin = cell.robot.q
    handle = cell.client.start_place()
    cell.client.wait_for(lambda: "execute_trajectory" in cell.robot.moveit.names(), "execution")
    cell.client.wait_for(handle.cancel_goal_async().done, "answer to the cancel")
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.CANCELLED, placed.outcome.message
    assert len(cell.robot.received) == 1 and "STILL MOVING" not in placed.outcome.message
    assert np.abs(cell.robot.v).max() < 0.02
    goal = np.array(cell.robot.received[0].points[-1].positions)[::-1]
    assert np.abs(goal - cell.robot.q).max() > 0.5 * np.abs(goal - begin).max()


@pytest.mark.parametrize("what", ["elsewhere", "other joints", "in motion"])
def test_plans_are_not_trusted(cell: Cell, what: str) -> None:
    def spoil(trajectory: RobotTrajectory) -> None:
        points = trajectory.joint_trajectory.points
        if what == "other joints":
            trajectory.joint_trajectory.joint_names = [f"other{i}" for i in range(7)]
        elif what == "in motion":
            points[-1].velocities[0] = 0.3
        else:
            points[0].positions[0] += 0.3

    cell.robot.moveit.change = spoil
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.REFUSED and not cell.robot.received
    assert "not valid" in placed.outcome.message


def test_cancel_while_planning(cell: Cell) -> None:
    cell.robot.moveit.answering = False
    handle = cell.client.start_place()
    cell.client.wait_for(lambda: "move_action" in cell.robot.moveit.names(), "planning")
    cell.client.wait_for(handle.cancel_goal_async().done, "answer to the cancel")
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.CANCELLED and "nothing moved" in placed.outcome.message
    cell.client.wait_for(lambda: cell.robot.moveit.cancelled == ["move_action"], "cancel at MoveIt")
    assert not cell.robot.received


def test_the_tool_keeps_its_speed_limits(cell: Cell, arm: ArmKinematics) -> None:
    cell.robot.moveit.change = _hurry
    assert cell.client.place().outcome.value == Outcome.SUCCESS
    (sent,) = cell.robot.received
    times = np.array([p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in sent.points])
    tool = arm.forward(np.array([p.positions for p in sent.points])).pos_m
    speeds = np.linalg.norm(np.diff(tool, axis=0), axis=1) / np.diff(times)
    assert 0.1 < speeds.max() <= 0.2 * 1.01
    # The last 4 cm lead straight down to the initial state, slowly.
    low = np.linalg.norm(tool[1:] - tool[-1], axis=1) < 0.04 - 1e-4
    assert 0.03 < speeds[low].max() <= 0.05 * 1.01


def test_socket_pose_in_another_frame(cell: Cell) -> None:
    base, seed = cell.robot.profile.base_frame, 3
    camera = Poses.from_xyz_rpy([0.9, -0.3, 0.8], [2.5, 0.2, 1.0])
    known = cell.client.sample(socket_pose=cell.socket_message(), seed=seed)
    asked = pose_stamped_message(camera.inverse() @ SOCKET, "camera", cell.robot.node.get_clock().now().to_msg())

    def ask() -> SampleInit.Response:
        cell.robot.send_transform(base, "camera", camera)
        return cell.client.sample(socket_pose=asked, seed=seed)

    cell.client.wait_for(lambda: ask().success, "transform at the node")
    answer = ask()
    assert list(answer.theta) == list(known.theta) and answer.poses[0].header.frame_id == "camera"
    position, turn = pose_numbers(answer.poses[0].pose)
    back = camera @ Poses.single(position, turn)
    np.testing.assert_allclose(back.pos_m[0], pose_numbers(known.poses[0].pose)[0], atol=1e-9)
    np.testing.assert_allclose(answer.joint_solutions[0].position, known.joint_solutions[0].position, atol=1e-6)
    # A pose for the tool may be in that frame too.
    cell.robot.send_transform(base, "camera", camera)
    placed = cell.client.place(use_pose=True, pose=answer.poses[0])
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    assert placed.pose_goal.header.frame_id == base

    def stale() -> SampleInit.Response:
        cell.robot.send_transform(base, "camera", camera, age_s=500.0)
        return cell.client.sample(socket_pose=asked, seed=seed)

    cell.client.wait_for(lambda: not stale().success, "notice of the old transform")
    refused = stale()
    assert refused.error_code == SampleInit.Response.BAD_SOCKET_POSE
    assert all(word in refused.message for word in ("socket_pose", "'camera'", "s old", base))


def test_without_move_group_placing_is_refused_and_sampling_is_not(cell: Cell) -> None:
    cell.robot.moveit.serving = False
    try:
        placed = cell.client.place()
        assert placed.outcome.value == Outcome.REFUSED and "nothing moved" in placed.outcome.message
        for name in ("action move_action", "action execute_trajectory", "service compute_ik", "move_group"):
            assert name in placed.outcome.message
        assert cell.client.sample().success
    finally:
        cell.robot.moveit.serving = True
    assert cell.client.place().outcome.value == Outcome.SUCCESS


def _hurry(trajectory: RobotTrajectory) -> None:
    """The same way in a fifth of the time."""
    for point in trajectory.joint_trajectory.points:
        total = point.time_from_start.sec * 10**9 + point.time_from_start.nanosec
        point.time_from_start.sec, point.time_from_start.nanosec = divmod(total // 5, 10**9)
        point.velocities = [5 * v for v in point.velocities]


def test_an_empty_hand_is_planned_without_the_part_and_goes_straight_up(cell: Cell, arm: ArmKinematics) -> None:
    tray = Poses.from_xyz_rpy([0.45, -0.25, 0.09], [np.pi, 0.0, 0.0])
    stamp = cell.client.node.get_clock().now().to_msg()
    frame = cell.robot.profile.base_frame
    down = cell.client.place(use_pose=True, empty_hand=True, pose=pose_stamped_message(tray, frame, stamp))
    assert down.outcome.value == Outcome.SUCCESS, down.outcome.message
    held = [
        each.object.operation
        for scene in cell.robot.moveit.scenes
        for each in scene.robot_state.attached_collision_objects
    ]
    assert held and set(held) == {CollisionObject.ADD, CollisionObject.REMOVE}
    assert cell.robot.moveit.names().count("move_action") == 1
    above = Poses(pos_m=np.add(tray.pos_m, [0.0, 0.0, 0.06]), quat_xyzw=tray.quat_xyzw)
    up = cell.client.place(use_pose=True, pose=pose_stamped_message(above, frame, stamp))
    assert up.outcome.value == Outcome.SUCCESS, up.outcome.message
    # Straight up out of the tray: no planner chose another way.
    assert cell.robot.moveit.names().count("move_action") == 1
    refused = cell.client.place(empty_hand=True)
    assert refused.outcome.value == Outcome.REFUSED
    assert refused.outcome.message.startswith("empty_hand: expected false")
