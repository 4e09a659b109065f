"""The real node in a process of its own, through real messages on a domain of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from controller_manager_msgs.srv import SwitchController
from diagnostic_msgs.msg import DiagnosticArray
from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Float64MultiArray
from twin_harness import Client, start_twin, stop_twin

from refinery.force_bound import commanded_force_bound
from refinery.initial_state import THETA_NAMES, theta_of
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.task import Task
from refinery_ros import qos
from refinery_ros.testing.graph import own_domain
from refinery_twin.estimates import ESTIMATES_PER_POLICY_STEP
from refinery_twin.trial import draw_trial

pytestmark = pytest.mark.ros
FACTOR = 4.0


def stamp_of(stamp: Time) -> float:
    return float(stamp.sec + stamp.nanosec * 1e-9)


def stamp_s(message: WrenchStamped) -> float:
    return stamp_of(message.header.stamp)


@dataclass
class Cell:
    """A running twin and its client."""

    client: Client
    log: Path
    env: dict[str, str]

    def expect_log(self, text: str) -> None:
        self.client.wait_for(lambda: text in self.log.read_text(), f"line with {text!r} in the twin's log")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, task_file: Path) -> Iterator[Cell]:
    log = tmp_path_factory.mktemp("twin") / "twin.log"
    with own_domain() as env:
        process = start_twin(env, log, realtime_factor=FACTOR, seed=3, task=task_file)
        context = rclpy.Context()
        previous = {name: os.environ.get(name) for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE")}
        os.environ.update({name: env[name] for name in previous})
        try:
            rclpy.init(context=context)
            client = Client(load_robot_profile("twin"), context)
            client.connected()
            yield Cell(client=client, log=log, env=env)
            client.close()
        finally:
            rclpy.try_shutdown(context=context)
            status = stop_twin(process)
            for name, value in previous.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        assert status == 0, log.read_text()


@pytest.fixture
def cell(running: Cell) -> Cell:
    """The cell at the start of trial 3, under the trajectory controller."""
    assert running.client.trial(3).success
    running.client.fresh()
    return running


def test_states_are_best_effort_consistent_and_stamped_with_simulated_time(cell: Cell, task: Task) -> None:
    client = cell.client
    (info,) = client.node.get_publishers_info_by_topic(client.profile.pose_topic)
    assert info.qos_profile.reliability == rclpy.qos.ReliabilityPolicy.BEST_EFFORT
    pose = client.last["pose"]
    assert pose.header.frame_id == client.profile.base_frame
    q = pose.pose.orientation
    assert np.linalg.norm([q.x, q.y, q.z, q.w]) == pytest.approx(1.0)
    np.testing.assert_allclose(
        client.profile.arm_kinematics().forward(client.joints_rad).pos_m[0], client.position_m, atol=2e-4
    )
    assert list(client.last["joints"].name) == list(client.profile.joint_names)
    wrench = client.last["wrench"].wrench
    assert abs(wrench.force.z) < 1e-6


def test_fresh_estimates_at_twice_the_policy_rate(cell: Cell, task: Task) -> None:
    client = cell.client
    client.spin_sim(0.2)
    client.sockets.clear()
    client.spin_sim(3.0)
    stamps = np.array([m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in client.sockets])
    # The median: a test that stalls loses some of them.
    assert np.median(np.diff(stamps)) == pytest.approx(
        1 / (ESTIMATES_PER_POLICY_STEP * task.control.policy_rate_hz), rel=0.05
    )
    points = np.array([[m.pose.position.x, m.pose.position.y, m.pose.position.z] for m in client.sockets])
    assert len(np.unique(points, axis=0)) == len(points)
    draw = draw_trial(task, 3)
    assert np.abs(points - draw.estimate.pos_m).max() <= task.noise.estimate_jitter_m + 1e-9


def test_diagnostics_tell_the_achieved_factor(cell: Cell) -> None:
    client = cell.client
    heard: list[DiagnosticArray] = []
    subscription = client.node.create_subscription(DiagnosticArray, "/diagnostics", heard.append, 10)
    client.wait_for(lambda: len(heard) >= 2, "diagnostics")
    client.node.destroy_subscription(subscription)
    (status,) = heard[-1].status
    values = {item.key: item.value for item in status.values}
    assert 0 < float(values["realtime_factor"]) < 1.5 * FACTOR
    assert values["controller"] == "trajectory"
    assert values["trial_seed"] == "3"
    assert "times real time" in status.message


def test_trials_repeat_by_seed(cell: Cell) -> None:
    client = cell.client
    first, other, again = client.trial(11), client.trial(12), client.trial(11)
    assert first.socket_estimate.pose == again.socket_estimate.pose
    assert first.socket_estimate.pose != other.socket_estimate.pose
    assert first.socket_estimate.header.frame_id == client.profile.base_frame
    for bad, sentence in (
        (client.trial(-1), "seed: expected"),
        (client.trial(1, hold_plug=False), "hold_plug: expected"),
        (client.trial(1, grasp=[0.0]), "grasp: expected 3 numbers"),
        (client.trial(1, grasp=[0.0, np.nan, 0.0]), "grasp: expected finite"),
        (client.trial(1, grasp=[0.1, 0.0, 0.0]), "grasp: grasp_x: expected -2.0 to 2.0 mm"),
    ):
        assert not bad.success
        assert sentence in bad.message and "nothing was changed" in bad.message
    assert "trial 11" in client.truth().message


def test_placement_hand_over_and_truth(cell: Cell, task: Task, above_socket_rad: np.ndarray) -> None:
    client = cell.client
    assert client.truth().success
    assert list(client.truth().theta) == []
    client.send_trajectory(above_socket_rad, 2)
    client.spin_sim(2.6)
    np.testing.assert_allclose(client.joints_rad, above_socket_rad, atol=1e-3)
    before = client.position_m
    assert client.impedance(True).ok
    client.spin_sim(0.5)
    assert np.linalg.norm(client.position_m - before) < 0.2e-3
    truth = client.truth()
    draw = draw_trial(task, 3)
    plug = client.profile.arm_kinematics().forward(client.joints_rad) @ task.plug.tool_from_plug
    np.testing.assert_allclose(truth.theta, theta_of(draw.estimate, plug, np.zeros((1, 3)))[0], atol=5e-4)
    height = (draw.socket.inverse() @ plug).pos_m[0, 2]
    assert truth.depth_m == pytest.approx(task.rim_height_m - height, abs=5e-4)
    assert not truth.strict_success
    assert not truth.engaged


def test_hand_over_with_a_grasp(cell: Cell, task: Task, above_socket_rad: np.ndarray) -> None:
    client, grasp = cell.client, np.array([[0.002, -0.003, 0.15]])
    assert client.trial(3, grasp=grasp[0]).success
    client.send_trajectory(above_socket_rad, 2)
    client.spin_sim(2.6)
    assert client.impedance(True).ok
    truth, draw = client.truth(), draw_trial(task, 3)
    assert tuple(truth.theta_names) == THETA_NAMES
    plug = client.profile.arm_kinematics().forward(client.joints_rad) @ task.plug.tool_from_plug_at(grasp)
    np.testing.assert_allclose(truth.theta, theta_of(draw.estimate, plug, grasp)[0], atol=5e-4)
    assert truth.depth_m == pytest.approx(task.rim_height_m - (draw.socket.inverse() @ plug).pos_m[0, 2], abs=5e-4)
    assert client.trial(3).success, "an empty grasp is the intended one again"
    client.impedance(True)
    assert list(client.truth().theta[6:]) == [0.0, 0.0, 0.0]


def test_target_moves_the_arm_only_under_impedance(cell: Cell) -> None:
    client, up = cell.client, np.array([0.0, 0.0, 0.015])
    before = client.position_m
    client.impedance(True)
    client.send_target(up)
    client.spin_sim(2.0)
    assert client.position_m[2] - before[2] > 0.01
    client.impedance(False)
    client.fresh()
    held = client.position_m
    client.send_target(-up)
    cell.expect_log(f"{client.profile.controllers.impedance} is not active")
    client.spin_sim(0.5)
    assert np.linalg.norm(client.position_m - held) < 1e-3


def test_a_target_from_before_the_activation_counts_once(cell: Cell) -> None:
    """As in CRISP, which is why the measured pose is published before a hand-over."""
    client, up = cell.client, np.array([0.0, 0.0, 0.015])
    client.spin_sim(0.1)
    before = client.position_m
    client.send_target(up)
    client.spin_sim(0.5)
    assert np.linalg.norm(client.position_m - before) < 1e-4
    client.impedance(True)
    client.spin_sim(2.0)
    assert client.position_m[2] - before[2] > 0.01
    client.impedance(False)
    client.spin_sim(0.5)
    held = client.position_m
    client.impedance(True)
    client.spin_sim(1.0)
    assert np.linalg.norm(client.position_m - held) < 1e-3


def test_with_no_controller_active_the_robot_is_idle_and_holds(cell: Cell) -> None:
    client, names = cell.client, cell.client.profile.controllers
    assert client.switch([], [names.trajectory]).ok
    assert client.controllers() == {names.trajectory: "inactive", names.impedance: "inactive"}
    client.wait_mode(FrankaRobotState.ROBOT_MODE_IDLE)
    before = client.position_m
    client.spin_sim(1.0)
    assert np.linalg.norm(client.position_m - before) < 1e-3
    for name in (names.impedance, names.trajectory):
        assert client.switch([name], []).ok
        client.wait_mode(FrankaRobotState.ROBOT_MODE_MOVE)
        assert client.switch([], [name]).ok


def test_the_controller_manager_switches_strictly(cell: Cell) -> None:
    client, names = cell.client, cell.client.profile.controllers
    assert client.controllers() == {names.trajectory: "active", names.impedance: "inactive"}
    both = client.switch([names.impedance], [])
    assert not both.ok and "both claim" in both.message
    assert client.controllers() == {names.trajectory: "active", names.impedance: "inactive"}
    assert client.impedance(True).ok
    assert client.controllers() == {names.trajectory: "inactive", names.impedance: "active"}
    assert not client.switch(["no_such"], []).ok and client.switch([], []).ok
    kind = SwitchController.Request
    for vague in (0, kind.BEST_EFFORT, kind.AUTO, kind.FORCE_AUTO):
        assert client.switch([names.impedance, "no_such"], [], strictness=vague).ok, "it is active, nothing to do"
    client.inject("switch_refused")
    client.spin_sim(0.1)
    assert not client.impedance(False).ok and client.controllers()[names.impedance] == "active"
    client.inject("")
    client.spin_sim(0.1)
    assert client.impedance(False).ok


def test_the_robot_reports_its_mode_and_stands_still_in_a_reflex(cell: Cell) -> None:
    client, up = cell.client, np.array([0.0, 0.0, 0.015])
    client.wait_mode(FrankaRobotState.ROBOT_MODE_MOVE)
    assert client.impedance(True).ok
    assert client.inject("reflex").success
    assert client.wait_mode(FrankaRobotState.ROBOT_MODE_REFLEX).current_errors.cartesian_reflex
    before = client.position_m
    client.spin_sim(10.0)  # the log of the next refusal is not held back as a repetition
    client.send_target(up)
    cell.expect_log("the robot does not move")
    client.spin_sim(1.0)
    assert np.linalg.norm(client.position_m - before) < 1e-3
    names = client.profile.controllers
    assert client.controllers() == {names.trajectory: "inactive", names.impedance: "inactive"}
    assert client.inject("").success
    client.wait_mode(FrankaRobotState.ROBOT_MODE_MOVE)
    assert client.controllers() == {names.trajectory: "active", names.impedance: "inactive"}
    assert np.linalg.norm(client.position_m - before) < 1e-3, "nothing left over moves it"
    assert client.impedance(True).ok
    client.send_target(up)
    client.spin_sim(2.0)
    assert client.position_m[2] - before[2] > 0.01


def test_faults_are_planned_by_simulated_time_and_end(cell: Cell) -> None:
    client = cell.client
    seen: list[WrenchStamped] = []
    best_effort = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
    watch = client.node.create_subscription(WrenchStamped, client.profile.wrench_topic, seen.append, best_effort)
    client.wait_for(lambda: bool(seen), "wrench")
    answer = client.inject("wrench_spike", "wrench", delay_s=0.5, duration_s=0.5, magnitude=77.0)
    assert answer.success and "the estimated wrench jumps" in answer.message
    client.wait_for(lambda: stamp_s(seen[-1]) > answer.begins_s + 1.0, "end of the spike")
    client.node.destroy_subscription(watch)
    # By their stamps, whenever they arrive: a busy machine delivers late.
    calm = seen[0].wrench.force.z
    spiked = [stamp_s(m) for m in seen if abs(m.wrench.force.z - calm - 77.0) < 20]
    assert spiked and answer.begins_s <= spiked[0] and spiked[-1] <= answer.begins_s + 0.5
    assert all(abs(m.wrench.force.z - calm) < 20 for m in seen if not spiked[0] <= stamp_s(m) <= spiked[-1])
    client.inject("drop", "pose")
    client.wait_silent(lambda: client.count["pose"])
    client.inject("")
    client.fresh()
    bad = client.inject("gremlin")
    assert not bad.success and "expected one of" in bad.message and "nothing was changed" in bad.message
    assert client.trial(4).success, "a new trial ends all faults"


def test_a_stopped_clock_stops_the_cell_and_services_answer(cell: Cell) -> None:
    client = cell.client
    clocks: list[Clock] = []
    watch = client.node.create_subscription(Clock, "/clock", clocks.append, qos.CLOCK)
    client.wait_for(lambda: bool(clocks), "clock")
    before = client.joints_rad
    assert client.inject("clock_stop").success

    def heard() -> object:
        return dict(client.count), len(clocks), len(client.sockets)

    client.wait_silent(heard)
    still = heard()
    client.send_trajectory(before + 0.1 * np.eye(7)[0], 1)
    client.spin_wall(1.0)
    assert heard() == still
    stood_s = client.time_s
    late = client.impedance(True)
    assert not late.ok and "timed out" in late.message
    assert client.truth().success and client.controllers()[client.profile.controllers.trajectory] == "active"
    assert client.inject("").success
    client.spin_sim(1.5)
    assert client.joints_rad[0] - before[0] == pytest.approx(0.1, abs=2e-3), "what was sent meanwhile is kept"
    assert client.inject("clock_stop", duration_s=0.5).success
    client.spin_sim(0.5)  # it ends by itself
    assert stamp_of(clocks[-1].clock) > stood_s + 1.0
    client.node.destroy_subscription(watch)


def test_bad_targets_are_refused_with_a_sentence(cell: Cell) -> None:
    client, up = cell.client, np.array([0.0, 0.0, 0.015])
    client.impedance(True)
    client.fresh()
    before = client.position_m
    client.send_target(up, frame="world")
    cell.expect_log("expected frame_id")
    client.spin_sim(10.0)  # the log of the next refusal is not held back as a repetition
    client.send_target(up * np.nan)
    cell.expect_log("NaN or infinity")
    client.spin_sim(0.5)
    assert np.linalg.norm(client.position_m - before) < 0.5e-3


def test_second_publisher_silences_targets(cell: Cell) -> None:
    client, up = cell.client, np.array([0.0, 0.0, 0.015])
    client.impedance(True)
    client.fresh()
    before = client.position_m
    rival = client.node.create_publisher(PoseStamped, client.profile.target_pose_topic, 1)
    client.wait_for(lambda: rival.get_subscription_count() == 1, "match of the second publisher")
    client.send_target(up)
    cell.expect_log("has 2 publishers")
    client.spin_sim(0.5)
    assert np.linalg.norm(client.position_m - before) < 0.5e-3
    client.node.destroy_publisher(rival)
    topic = client.target_out.topic_name
    client.wait_for(lambda: client.node.count_publishers(topic) == 1, "end of the second publisher")
    client.spin_sim(1.0)
    client.send_target(up)
    client.spin_sim(1.5)
    assert client.position_m[2] - before[2] > 0.01


def test_stiffness_topic(cell: Cell) -> None:
    client = cell.client
    client.impedance(True)
    client.stiffness_out.publish(Float64MultiArray(data=[5000.0] * 6))
    cell.expect_log("target stiffness: expected 6 values")
    client.stiffness_out.publish(Float64MultiArray(data=[0.0] * 6))
    client.spin_sim(0.2)
    before = client.position_m
    client.send_target(np.array([0.0, 0.0, 0.015]))
    client.spin_sim(1.0)
    assert np.linalg.norm(client.position_m - before) < 1e-3


def test_bad_trajectories_leave_the_arm_where_it_is(cell: Cell) -> None:
    client = cell.client
    before = client.joints_rad
    client.send_trajectory(before + 3.0, 1)
    cell.expect_log("joint trajectory refused: joint")
    client.spin_sim(1.2)
    np.testing.assert_allclose(client.joints_rad, before, atol=1e-6)
    client.impedance(True)
    client.send_trajectory(before, 1)
    cell.expect_log("switch to the trajectory controller first")


def test_pressing_on_the_plate_is_felt_and_bounded(cell: Cell, task: Task, above_socket_rad: np.ndarray) -> None:
    client = cell.client
    aside = above_socket_rad + 0.06 * np.eye(7)[0]
    client.send_trajectory(aside, 2)
    client.spin_sim(2.5)
    client.impedance(True)
    for _ in range(40):
        client.send_target(np.array([0.0, 0.0, -0.1]))
        client.spin_sim(0.066)
    force = client.last["wrench"].wrench.force
    bound = commanded_force_bound(task.control)[2]
    assert 0.7 * bound < force.z < 1.1 * bound
    assert client.truth().max_force_n > 0.7 * bound


def test_what_the_arm_is_really_asked_for_can_be_listened_to(cell: Cell, task: Task) -> None:
    client = cell.client
    heard: list[WrenchStamped] = []
    subscription = client.node.create_subscription(WrenchStamped, "twin/commanded_wrench", heard.append, 10)
    client.wait_for(lambda: bool(heard), "commanded wrench")
    assert heard[-1].wrench.force.z == 0.0, "the trajectory controller commands no force"
    client.impedance(True)
    client.send_target(np.array([0.0, 0.0, 1.0]))
    limit = commanded_force_bound(task.control)[2]
    client.wait_for(lambda: heard[-1].wrench.force.z > 0.5 * limit, "pull of the spring")
    assert heard[-1].wrench.force.z < 1.05 * limit
    assert heard[-1].header.frame_id == client.profile.base_frame
    client.node.destroy_subscription(subscription)


def test_seating_by_hand_scores(cell: Cell, task: Task) -> None:
    """An operator who knows the truth can win a trial: the whole way from placement to the score holds together."""
    client = cell.client
    draw = draw_trial(task, 3)
    kinematics = client.profile.arm_kinematics()
    above = draw.socket @ Poses.from_xyz_rpy((0, 0, 0.03), (0, 0, 0)) @ task.plug.tool_from_plug.inverse()
    joints, reached = kinematics.inverse(above, client.profile.home_rad)
    assert reached.all()
    client.send_trajectory(joints[0], 3)
    client.spin_sim(3.5)
    client.impedance(True)
    client.fresh()
    straight = client.last["pose"].pose.orientation
    push = np.zeros(2)
    for step in range(90):
        client.fresh()
        off = above.pos_m[0, :2] - client.position_m[:2]
        push = np.clip(push + 0.3 * off, -0.004, 0.004)  # the impedance alone stops short of the axis
        client.send_target(np.append(off + push, -0.002 if step < 40 else -0.01), orientation=straight)
        client.spin_sim(0.066)
    truth = client.truth()
    assert truth.strict_success, truth
    assert truth.engaged


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(tmp_path: Path, number: int) -> None:
    log = tmp_path / "twin.log"
    with own_domain() as env:
        process = start_twin(env, log)
        while "the cell is up" not in log.read_text():
            assert process.poll() is None, log.read_text()
        assert stop_twin(process, number) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"task": "no_such_task"}, "no_such_task"),
        ({"robot_profile": "no_such_arm"}, "no_such_arm"),
        ({"robot_profile": "fr3"}, "use the profile 'twin'"),
    ],
)
def test_unusable_files_end_it_with_one_sentence(tmp_path: Path, parameters: dict[str, str], sentence: str) -> None:
    log = tmp_path / "twin.log"
    with own_domain() as env:
        process = start_twin(env, log, **parameters)
        assert process.wait(timeout=240) == 1
    text = log.read_text()
    assert "expected" in text
    assert sentence in text
    assert "Traceback" not in text


def test_parameter_out_of_range_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "twin.log"
    with own_domain() as env:
        process: subprocess.Popen[bytes] = start_twin(env, log, realtime_factor=-1.0)
        assert process.wait(timeout=240) == 1
    assert "realtime_factor" in log.read_text()
    assert "Traceback" not in log.read_text()
