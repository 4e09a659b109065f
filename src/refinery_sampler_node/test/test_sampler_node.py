"""The real node in a process of its own: service, action, refusals, faults and shutdown, through real messages."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import Pose, PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter
from sampler_harness import SOCKET, Cell, running_cell, start_sampler, stop_sampler
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker

from refinery.bundle import load_bundle
from refinery.initial_state import tool_pose
from refinery.kinematics import ArmKinematics
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses, angle_between_rad
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery_msgs.msg import Outcome
from refinery_msgs.srv import SampleInit
from refinery_ros.conversions import pose_message
from refinery_sampler_node.inputs.checked_pose import checked_pose_message

pytestmark = pytest.mark.ros
Response = SampleInit.Response


@pytest.fixture(scope="module")
def running(
    profile: RobotProfile, arm: ArmKinematics, task: Task, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cell]:
    with running_cell(profile, arm, task, tmp_path_factory.mktemp("sampler")) as cell:
        yield cell
        assert stop_sampler(cell.process) == 0, cell.log.read_text()


def test_empty_request(cell: Cell, task: Task, arm: ArmKinematics) -> None:
    answer = cell.client.sample()
    assert answer.success and answer.error_code == Response.OK, answer.message
    assert (answer.task, len(answer.poses), answer.candidates, answer.rejected) == (task.name, 1, 256, 0)
    assert "socket estimates" in answer.message
    theta = np.array(answer.theta).reshape(1, 9)
    assert task.initial_state.deployed.contains(theta).all()
    assert answer.success_low[0] <= answer.success_probability[0] <= answer.success_high[0]
    pose = checked_pose_message(answer.poses[0], base_frame=cell.robot.profile.base_frame, what="answer")
    # The estimate is a mean of jittering ones, so the pose is near what the true socket would give.
    asked = tool_pose(SOCKET, theta, task.plug.tool_from_plug)
    assert np.abs(pose.pos_m - asked.pos_m).max() < 0.002
    (joints,) = answer.joint_solutions
    assert tuple(joints.name) == tuple(cell.robot.profile.joint_names)
    found = arm.forward(np.array(joints.position))
    assert np.linalg.norm(found.pos_m - pose.pos_m) < 1e-4
    assert angle_between_rad(found.quat_xyzw, pose.quat_xyzw)[0] < 1e-3


def test_same_seed_same_answer(cell: Cell) -> None:
    socket = cell.socket_message()
    first = cell.client.sample(count=7, socket_pose=socket, mode="sample")
    again = cell.client.sample(count=7, socket_pose=socket, mode="sample", seed=first.seed_used)
    other = cell.client.sample(count=7, socket_pose=socket, mode="sample")
    assert first.seed_used >= 0
    assert list(first.theta) == list(again.theta)
    assert list(first.theta) != list(other.theta)


@pytest.mark.parametrize("mode", ["best", "sample", "uniform"])
def test_many(cell: Cell, task: Task, mode: str) -> None:
    answer = cell.client.sample(count=50, mode=mode, require_reachable=False, seed=1)
    assert answer.success
    theta = np.array(answer.theta).reshape(50, 9)
    assert task.initial_state.deployed.contains(theta).all()
    mixture = load_bundle(cell.bundle_path).initial_states.mixture
    np.testing.assert_allclose(answer.log_likelihoods, mixture.log_likelihood(theta))
    assert len(answer.poses) == len(answer.success_probability) == 50
    assert not answer.joint_solutions


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"task": "gear"}, Response.UNKNOWN_TASK, ("peg_rect", "gear")),
        ({"count": 0}, Response.BAD_COUNT, ("1 to 1000", "got 0")),
        ({"count": 100000}, Response.BAD_COUNT, ("1 to 1000", "100000")),
        ({"mode": "bets"}, Response.BAD_MODE, ("best, sample, uniform", "did you mean 'best'")),
        ({"mode": ""}, Response.BAD_MODE, ("best, sample, uniform",)),
    ],
)
def test_bad_requests(cell: Cell, fields: dict[str, object], code: int, words: tuple[str, ...]) -> None:
    answer = cell.client.sample(**fields)
    _expect_refusal(answer, code, words)
    placed = cell.client.place(**{key: value for key, value in fields.items() if key != "count"})
    if "count" not in fields:
        assert placed.outcome.value == Outcome.REFUSED
        assert "nothing moved" in placed.outcome.message
        assert all(word in placed.outcome.message for word in words)
        assert not cell.robot.received


def test_a_task_may_be_named_by_its_contents_also_where_the_pose_is_given(cell: Cell, task: Task) -> None:
    assert cell.client.sample(task=task.hash()).success
    other = dataclasses.replace(task, description="the same name, another task")
    _expect_refusal(cell.client.sample(task=other.hash()), Response.UNKNOWN_TASK, (task.hash(), other.hash()))
    placed = cell.client.place(task=other.hash(), use_pose=True)
    assert placed.outcome.value == Outcome.REFUSED
    assert task.hash() in placed.outcome.message


def test_bad_socket_poses(cell: Cell) -> None:
    base = cell.robot.profile.base_frame
    wrong_frame = cell.client.sample(socket_pose=cell.socket_message(frame="camera"))
    _expect_refusal(wrong_frame, Response.BAD_SOCKET_POSE, ("camera", base, "frame_id"))
    not_unit = cell.client.sample(socket_pose=cell.socket_message(quat_xyzw=(0.0, 0.0, 0.0, 0.9)))
    _expect_refusal(not_unit, Response.BAD_SOCKET_POSE, ("unit quaternion", "0.9"))
    nan = cell.socket_message()
    nan.pose.position.x = math.nan
    _expect_refusal(cell.client.sample(socket_pose=nan), Response.BAD_SOCKET_POSE, ("finite",))
    far = cell.socket_message()
    far.pose.position.x = 3.0
    _expect_refusal(cell.client.sample(socket_pose=far), Response.UNREACHABLE, ("no inverse kinematics", "found 0"))


def test_bad_estimates(cell: Cell) -> None:
    cell.robot.frame = "camera"
    cell.client.wait_for(lambda: not cell.client.sample().success, "notice of the wrong frame")
    _expect_refusal(cell.client.sample(), Response.BAD_SOCKET_POSE, ("/socket_pose", "camera"))
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.REFUSED and "camera" in placed.outcome.message
    cell.end_estimates()
    _expect_refusal(cell.client.sample(), Response.NO_SOCKET_POSE, ("no message on /socket_pose;",))
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.REFUSED and "no message on /socket_pose;" in placed.outcome.message
    assert not cell.robot.received


def test_moved_socket_is_not_averaged_with_its_old_place(cell: Cell, task: Task) -> None:
    moved = Poses(pos_m=SOCKET.pos_m + np.array([[0.03, 0.0, 0.0]]), quat_xyzw=SOCKET.quat_xyzw)
    cell.robot.socket = moved

    def error_m() -> float:
        answer = cell.client.sample(seed=0)
        if not answer.success:
            # As many of the old place as of the new one.
            assert "disagree" in answer.message
            return math.inf
        pose = checked_pose_message(answer.poses[0], base_frame=cell.robot.profile.base_frame, what="answer")
        asked = tool_pose(moved, np.array(answer.theta).reshape(1, 9), task.plug.tool_from_plug)
        return float(np.linalg.norm(pose.pos_m - asked.pos_m))

    seen: list[float] = []

    def arrived() -> bool:
        seen.append(error_m())
        return seen[-1] < 0.002

    cell.client.wait_for(arrived, "estimate of the moved socket")
    # Never in between: an estimate is of the old place or of the new one, give or take its jitter.
    assert all(value < 0.004 or value > 0.026 for value in seen), seen


@pytest.mark.parametrize("kind", ["position", "turn", "half a turn", "not a pose", "frame"])
def test_single_wrong_estimates_decide_nothing(cell: Cell, task: Task, kind: str) -> None:
    def spoil(message: PoseStamped, number: int) -> None:
        if number % 7:
            return
        turn = {"turn": 0.5, "half a turn": math.pi}.get(kind, 0.0)
        wrong = SOCKET @ Poses.from_xyz_rpy([0.03 if kind == "position" else 0.0, 0.0, 0.0], [0.0, 0.0, turn])
        message.pose = pose_message(wrong)
        if kind == "not a pose":
            message.pose.orientation.w = 7.0
        message.header.frame_id = "camera" if kind == "frame" else message.header.frame_id

    # Of two that disagree nobody can tell which is wrong.
    cell.client.wait_for(lambda: "of the last 15" in cell.client.sample().message, "estimates to compare with")
    with cell.robot.lock:
        cell.robot.spoil = spoil
    seen = cell.robot.estimates
    answers: list[Response] = []

    def asked() -> bool:
        answers.append(cell.client.sample(seed=5))
        return cell.robot.estimates > seen + 40

    cell.client.wait_for(asked, "forty estimates")
    for answer in answers:
        assert answer.success, answer.message
        pose = checked_pose_message(answer.poses[0], base_frame=cell.robot.profile.base_frame, what="answer")
        asked_pose = tool_pose(SOCKET, np.array(answer.theta).reshape(1, 9), task.plug.tool_from_plug)
        assert np.linalg.norm(pose.pos_m - asked_pose.pos_m) < 0.003
        assert angle_between_rad(pose.quat_xyzw, asked_pose.quat_xyzw)[0] < 1e-3
    # The part looks the same after half a turn, and what is no pose is not among the estimates.
    left_out = kind in ("position", "turn")
    assert any("mean of 13 of the last 15" in answer.message for answer in answers) == left_out
    assert cell.client.place().outcome.value == Outcome.SUCCESS


def test_a_socket_that_keeps_moving_is_no_place_to_go(cell: Cell) -> None:
    def spoil(message: PoseStamped, number: int) -> None:
        message.pose.position.x += 0.003 * (number % 100)

    with cell.robot.lock:
        cell.robot.spoil = spoil
    refused: list[Outcome] = []

    def placed() -> bool:
        refused.append(cell.client.place().outcome)
        return "socket estimate" in refused[-1].message

    cell.client.wait_for(placed, "refusal")
    assert refused[-1].value == Outcome.REFUSED and not cell.robot.received[len(refused) - 1 :]


def test_place_sampled(cell: Cell, task: Task) -> None:
    placed = cell.client.place(seed=3)
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    assert placed.position_error_m < 0.0005 and placed.rotation_error_rad < 0.002
    assert task.initial_state.deployed.contains(np.array([placed.theta])).all()
    assert 0 <= placed.success_probability <= 1
    goal, reached = (
        checked_pose_message(each, base_frame=cell.robot.profile.base_frame, what="pose")
        for each in (placed.pose_goal, placed.pose_reached)
    )
    asked = tool_pose(SOCKET, np.array([placed.theta]), task.plug.tool_from_plug)
    assert np.linalg.norm(goal.pos_m - asked.pos_m) < 0.0015
    assert np.linalg.norm(reached.pos_m - goal.pos_m) < 0.0005
    (sent,) = cell.robot.received
    assert tuple(sent.joint_names) == tuple(cell.robot.profile.joint_names)
    assert not any(sent.points[-1].velocities)
    # From home there is nothing to come up from; every step is planned before the arm moves.
    planned = ["apply_planning_scene", "compute_ik", "compute_ik"]
    planned += ["apply_planning_scene", "move_action", "apply_planning_scene", "compute_cartesian_path"]
    assert cell.robot.moveit.names() == [*planned, "execute_trajectory"]
    phases = [each.phase for each in cell.client.feedback]
    assert list(dict.fromkeys(phases)) == ["sampling", "planning", "moving", "settling"]
    shares = [each.progress for each in cell.client.feedback]
    assert shares == sorted(shares) and shares[-1] == 1.0
    # From there to another one, without going home, but straight up first; right after a reset the first estimate is
    # waited for.
    cell.robot.moveit.restore()
    assert cell.client.service(Trigger, "/refinery_sampler/reset_estimate", Trigger.Request()).success
    again = cell.client.place(mode="uniform")
    assert again.outcome.value == Outcome.SUCCESS, again.outcome.message
    execution = ["apply_planning_scene", "execute_trajectory"]
    expected = ["apply_planning_scene", "compute_cartesian_path", *planned, *execution, *execution]
    assert cell.robot.moveit.names() == expected
    ups = [len(scene.robot_state.attached_collision_objects) for scene in cell.robot.moveit.scenes]
    assert ups == [2, 1, 1, 1, 2, 1]
    assert len(cell.robot.received) == 3


def test_place_at_given_pose(cell: Cell) -> None:
    answer = cell.client.sample(socket_pose=cell.socket_message())
    pose, grasp = answer.poses[0], list(answer.theta[6:])
    assert any(grasp)
    placed = cell.client.place(use_pose=True, pose=pose, grasp=grasp)
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    assert _numbers(placed.pose_goal.pose) == pytest.approx(_numbers(pose.pose), abs=1e-12)
    assert not placed.theta and math.isnan(placed.success_probability)
    cell.end_estimates()
    pose.pose.position.z += 0.02
    assert cell.client.place(use_pose=True, pose=pose).outcome.value == Outcome.SUCCESS


@pytest.mark.parametrize("what", ["frame", "quaternion", "reach", "grasp", "grasp length", "time", "too short"])
def test_place_refuses_bad_goals(cell: Cell, what: str) -> None:
    pose = cell.client.sample(socket_pose=cell.socket_message()).poses[0]
    fields: dict[str, object] = {"use_pose": True, "pose": pose}
    if what == "frame":
        pose.header.frame_id = ""
    elif what == "quaternion":
        pose.pose.orientation.x *= 2
    elif what == "reach":
        pose.pose.position.z += 2.0
    elif what.startswith("grasp"):
        fields["grasp"] = [0.0, 0.0, 0.4] if what == "grasp" else [0.0]
    else:
        fields["max_duration_s"] = math.nan if what == "time" else 0.5
    words = {
        "frame": "frame_id",
        "quaternion": "unit quaternion",
        "reach": "no inverse kinematics",
        "grasp": "grasp: grasp_pitch: expected -11.5 to 11.5 deg",
        "grasp length": "grasp: expected 3 numbers",
        "time": "max_duration_s: expected a time > 0 s",
        "too short": "that the motion takes",
    }
    placed = cell.client.place(**fields)
    assert placed.outcome.value == Outcome.REFUSED
    assert words[what] in placed.outcome.message and "nothing moved" in placed.outcome.message
    assert not cell.robot.received


def test_place_refuses_a_wrong_tool_frame(cell: Cell) -> None:
    cell.robot.tool_error_m = np.array([0.0, 0.0, 0.02])
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.REFUSED
    assert "20.0 mm" in placed.outcome.message and "end-effector frame" in placed.outcome.message


def test_place_refuses_without_joint_states(cell: Cell) -> None:
    cell.robot.publishing = False
    cell.client.wait_for(lambda: cell.client.place().outcome.value == Outcome.REFUSED, "refusal")
    message = cell.client.place().outcome.message
    assert cell.robot.profile.joint_state_topic in message and "still running" in message


def test_cancel_brings_the_arm_to_rest(cell: Cell) -> None:
    handle = cell.client.start_moving()
    future = handle.cancel_goal_async()
    cell.client.wait_for(future.done, "answer to the cancel")
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.CANCELLED
    assert "cancelled" in placed.outcome.message
    cell.expect_halt()
    assert placed.position_error_m > 0.01
    assert cell.client.place().outcome.value == Outcome.SUCCESS


def test_one_at_a_time(cell: Cell) -> None:
    handle = cell.client.start_place()
    second = cell.client.place()
    assert second.outcome.value == Outcome.REFUSED and "in progress" in second.outcome.message
    assert cell.client.result(handle).outcome.value == Outcome.SUCCESS
    assert len(cell.robot.received) == 1 and not cell.robot.moveit.cancelled


def test_arm_that_does_not_follow(cell: Cell) -> None:
    cell.robot.following = False
    placed = cell.client.place()
    assert placed.outcome.value == Outcome.STOPPED
    assert "has not begun to move" in placed.outcome.message and "trajectory controller" in placed.outcome.message
    assert cell.robot.moveit.cancelled == ["execute_trajectory"]


@pytest.mark.parametrize("fault", ["joint states", "clock"])
def test_faults_while_moving(cell: Cell, fault: str) -> None:
    handle = cell.client.start_moving()
    if fault == "clock":
        cell.robot.ticking = False
    else:
        # The age of a message is real time: slow enough that the arm is still moving when it has grown too old.
        cell.robot.speed = 0.3
        cell.robot.publishing = False
    placed = cell.client.result(handle)
    cell.robot.publishing = cell.robot.ticking = True
    assert placed.outcome.value == Outcome.STOPPED
    assert ("clock has stood still" if fault == "clock" else "measured_joint_states arrived") in placed.outcome.message
    cell.expect_halt()


def test_deactivation_stops_and_refuses(cell: Cell) -> None:
    handle = cell.client.start_moving()
    _change(cell, Transition.TRANSITION_DEACTIVATE)
    placed = cell.client.result(handle)
    assert placed.outcome.value == Outcome.STOPPED and "deactivated" in placed.outcome.message
    cell.expect_halt()
    _expect_refusal(cell.client.sample(), Response.NOT_ACTIVE, ("not active", "activate"))
    refused = cell.client.place()
    assert refused.outcome.value == Outcome.REFUSED and "not active" in refused.outcome.message
    _change(cell, Transition.TRANSITION_CLEANUP)
    _expect_refusal(cell.client.sample(), Response.NO_BUNDLE, ("no bundle", "configure"))
    _change(cell, Transition.TRANSITION_CONFIGURE)
    _change(cell, Transition.TRANSITION_ACTIVATE)
    cell.settle_estimates()
    assert cell.client.place().outcome.value == Outcome.SUCCESS


def test_markers(cell: Cell) -> None:
    cell.client.sample(count=3)

    def kinds() -> list[str]:
        return [each.ns for each in cell.client.markers[-1].markers] if cell.client.markers else []

    def texts() -> list[str]:
        return [each.text for each in cell.client.markers[-1].markers if each.ns == "legend"]

    cell.client.wait_for(lambda: kinds().count("chosen") == 3, "markers of the three states")
    markers = cell.client.markers[-1].markers
    assert markers[0].action == Marker.DELETEALL
    assert (kinds().count("mixture"), kinds().count("candidates")) == (2, 1)
    (cloud,) = [each for each in markers if each.ns == "candidates"]
    assert len(cloud.points) == len(cloud.colors) == 256
    assert all(each.header.frame_id == cell.robot.profile.base_frame for each in markers[1:])
    assert "256 candidates" in texts()[0] and any("chosen" in text for text in texts())
    # A placement shows the line on which the arm comes down.
    placed = cell.client.place(mode="uniform")
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    cell.client.wait_for(lambda: kinds().count("approach") == 4, "markers of the approach")
    assert (kinds().count("chosen"), kinds().count("rejected")) == (1, 0)


def test_parameters_are_described_and_checked(cell: Cell) -> None:
    name = "/refinery_sampler"
    described = cell.client.service(
        DescribeParameters, f"{name}/describe_parameters", DescribeParameters.Request(names=["max_count", "lift_m"])
    )
    count, lift = described.descriptors
    assert count.description and count.integer_range[0].to_value == 100000
    assert lift.description and lift.floating_point_range[0].from_value == 0.005
    bad = [Parameter("max_count", value=0).to_parameter_msg(), Parameter("lift_m", value=1.0).to_parameter_msg()]
    answer = cell.client.service(SetParameters, f"{name}/set_parameters", SetParameters.Request(parameters=bad))
    assert not any(each.successful for each in answer.results)


@pytest.mark.parametrize("what", ["missing", "unnamed", "flipped byte", "parameter", "misfit"])
def test_node_that_cannot_start_says_why_and_ends(cell: Cell, task: Task, tmp_path: Path, what: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(cell.bundle_path, broken)
    states = broken / "initial_states.json"
    content = bytearray(states.read_bytes())
    content[len(content) // 2] ^= 1
    states.write_bytes(content)
    fast = dataclasses.replace(task, control=dataclasses.replace(task.control, policy_rate_hz=300.0))
    fast_words = ["manifest.json does not fit", "twin.yaml", "policy_rate_hz: expected at most 250 Hz", "got 300 Hz"]
    arguments, words = {
        "missing": ({"bundle": "/nowhere"}, ["/nowhere"]),
        "unnamed": ({}, ["bundle", "expected the directory of a bundle"]),
        "flipped byte": ({"bundle": broken}, ["initial_states.json", "SHA-256"]),
        "parameter": ({"bundle": cell.bundle_path, "max_count": 0}, ["max_count", "0"]),
        "misfit": ({"bundle": tiny_bundle(tmp_path / "fast", fast)}, fast_words),
    }[what]
    log = tmp_path / "second.log"
    process = start_sampler(cell.env, log, autostart=True, **arguments)
    try:
        assert process.wait(timeout=240) == 1
    finally:
        stop_sampler(process)
    assert "Traceback" not in log.read_text()
    (error,) = log.read_text().strip().splitlines()
    assert all(word in error for word in words), error


def _numbers(pose: Pose) -> list[float]:
    point, turn = pose.position, pose.orientation
    return [point.x, point.y, point.z, turn.x, turn.y, turn.z, turn.w]


def _expect_refusal(answer: SampleInit.Response, code: int, words: tuple[str, ...]) -> None:
    assert not answer.success
    assert answer.error_code == code, answer.message
    assert not answer.poses and not answer.theta
    for word in words:
        assert word in answer.message


def _change(cell: Cell, transition: int) -> None:
    request = ChangeState.Request(transition=Transition(id=transition))
    assert cell.client.service(ChangeState, "/refinery_sampler/change_state", request).success
    cell.client.service(GetState, "/refinery_sampler/get_state", GetState.Request())
