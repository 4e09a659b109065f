"""The real node in its own process on a real graph: what an engineer sees when things go right, and when not."""

from __future__ import annotations

import dataclasses
import os
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from policy_cell import PROFILE, Launch, at_rest, begin
from policy_process import PolicyProcess, wait_for
from rclpy.qos import ReliabilityPolicy

from refinery.bundle import load_bundle
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery.tick import compiled
from refinery.tick.recording import Recording
from refinery.tick.replay import replay
from refinery.trained_with import TrainedWith
from refinery_msgs.msg import Diagnosis, GuardReason, Outcome, PolicyStatus

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]


def test_an_insertion_from_configuration_to_clean_exit(
    launch: Launch, quick_task: Task, quick_bundle: Path, tmp_path: Path
) -> None:
    plant, policy = launch(record_dir=tmp_path / "records", realtime_cpu=min(os.sched_getaffinity(0)))
    assert policy.configure(), policy.log()
    assert f"policy tick: {compiled.description()}" in policy.log() and "provider cpu" in policy.log()
    assert f"scheduling: other, processors {min(os.sched_getaffinity(0))}" in policy.log()
    assert policy.insert().outcome.value == Outcome.REFUSED
    assert policy.activate(), policy.log()
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert(task=quick_task.name, trial_id=7)
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
    assert result.outcome.message.startswith("trial 7: the plug is seated")
    assert result.reason.value == GuardReason.NONE
    assert result.ticks == quick_task.control.episode_steps
    assert result.depth_m == pytest.approx(quick_task.rim_height_m, abs=0.003)
    assert result.diagnosis.place == Diagnosis.SEATED and result.diagnosis.message in result.outcome.message
    assert abs(result.diagnosis.x_m) < 0.002 and abs(result.diagnosis.turn_rad) < 0.05
    last = wait_for(lambda: next((s for s in policy.statuses if s.last_trial_id == 7), None), "the last outcome")
    assert (last.state, last.ended, last.last_outcome.value) == (PolicyStatus.IDLE, 2, Outcome.SUCCESS)
    assert last.last_diagnosis.place == Diagnosis.SEATED
    assert plant.impedance_calls == [True, False]
    assert plant.stiffness == list(quick_task.control.stiffness)
    assert at_rest(plant)
    (path,) = (tmp_path / "records").glob("*.npz")
    recording = Recording.load(path)
    assert len(recording.now_s) == quick_task.control.episode_steps
    assert 1.0 / np.median(np.diff(recording.now_s)) == pytest.approx(quick_task.control.policy_rate_hz, rel=0.3)
    on_the_way = [status for status in policy.statuses if status.state == PolicyStatus.RUNNING and status.ticks > 1]
    assert on_the_way
    for status in on_the_way:
        steps_s = recording.now_s[: status.ticks]
        last_s = steps_s[steps_s[-1] - steps_s <= 1.0]
        assert status.rate_hz == pytest.approx((len(last_s) - 1) / (last_s[-1] - last_s[0]), rel=0.03)
    assert recording.task_hash == quick_task.hash()
    policy_again = load_bundle(quick_bundle).open_policy()
    again = replay(quick_task, [recording], policy_again)
    np.testing.assert_allclose(again.observation[0], recording.observation, atol=1e-6)
    np.testing.assert_allclose(again.action[0], recording.action, atol=1e-6)
    np.testing.assert_allclose(again.target_pos_m[0], recording.target_pos_m, atol=1e-9)

    plant.place()
    plant.wait_for_steps(20)
    for goal, sentence in [
        ({"task": "other"}, "task: expected 'peg_rect'"),
        ({"timeout_s": -1.0}, "timeout_s: expected a time >= 0"),
        ({"grasp": [0.001]}, "grasp: expected 3 numbers"),
        ({"grasp": [0.0, float("nan"), 0.0]}, "grasp: expected finite numbers"),
        ({"grasp": [0.0, 0.0, 0.3]}, "grasp: grasp_pitch: expected -11.5 to 11.5 deg"),
    ]:
        refused = policy.insert(**goal)
        assert refused.outcome.value == Outcome.REFUSED
        assert sentence in refused.outcome.message
    assert plant.impedance_calls == [True, False] and not plant.targets
    timed_out = policy.insert(timeout_s=0.3)
    assert timed_out.outcome.value == Outcome.TIMED_OUT, timed_out.outcome.message
    # How far the plug came in a third of a second is the machine's affair.
    assert timed_out.diagnosis.place in (Diagnosis.ABOVE, Diagnosis.ON_RIM, Diagnosis.PARTLY_IN)
    assert timed_out.diagnosis.message in timed_out.outcome.message
    plant.place(np.array([0.04, 0.0, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    wait_for(lambda: policy.insert().reason.value == GuardReason.OUT_OF_DISTRIBUTION, "refusal of a far start")
    assert plant.impedance_calls == [True, False] * 2
    assert len(list((tmp_path / "records").glob("*.npz"))) == 2, "a refused insertion has no policy steps to record"

    assert policy.status().bundle == "tiny"
    assert policy.deactivate()
    assert "not active" in policy.insert().outcome.message
    assert policy.end(signal.SIGINT) == 0


def test_a_goal_chooses_among_several_bundles(
    launch: Launch, quick_task: Task, quick_bundle: Path, tmp_path: Path
) -> None:
    other = tiny_bundle(tmp_path / "other", dataclasses.replace(quick_task, name="other"), name="second")
    plant, policy = launch(bundle=f"{quick_bundle}:{other}")
    assert policy.configure() and policy.activate(), policy.log()
    plant.place()
    plant.wait_for_steps(20)
    assert policy.status().bundle == "tiny"
    unnamed, unknown = policy.insert(), policy.insert(task="gear")
    for refused in (unnamed, unknown):
        assert refused.outcome.value == Outcome.REFUSED
        assert "expected one of 'peg_rect', 'other'" in refused.outcome.message
    assert plant.impedance_calls == []
    assert policy.insert(task="other", timeout_s=0.3).outcome.value == Outcome.TIMED_OUT
    wait_for(lambda: policy.status().bundle == "second", "the second bundle")
    # A stop stands, whichever policy is asked for next.
    assert policy.stop().success
    assert policy.insert(task="peg_rect").reason.value == GuardReason.REQUESTED
    assert policy.rearm().success
    plant.place()
    plant.wait_for_steps(20)
    assert policy.insert(task="peg_rect").outcome.value == Outcome.SUCCESS


def test_a_part_that_sits_askew_is_seated_by_its_grasp(launch: Launch, quick_task: Task, tmp_path: Path) -> None:
    plant, policy = launch(record_dir=tmp_path / "records")
    assert policy.configure() and policy.activate(), policy.log()
    grasp = [0.002, -0.004, 0.15]
    box = quick_task.initial_state.deployed
    plant.place(np.array([*(box.low + box.high)[:6] / 2, *grasp]))
    plant.wait_for_steps(20)
    result = policy.insert(grasp=grasp)
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
    assert result.angle_error_rad < quick_task.success.angle_tolerance_rad
    (path,) = (tmp_path / "records").glob("*.npz")
    np.testing.assert_array_equal(Recording.load(path).grasp, grasp)
    # The same way of holding it, kept to oneself: the node sees a part where it is not, and says so.
    plant.place(np.array([*(box.low + box.high)[:6] / 2, *grasp]))
    plant.wait_for_steps(20)
    assert policy.insert().angle_error_rad < 0.05
    assert (plant.cell.socket.inverse() @ plant.cell.plug).rotation.magnitude()[0] > 0.1


def test_cancel_hold_and_deactivate_let_go(launch: Launch) -> None:
    plant, policy = launch()
    assert policy.configure() and policy.activate(), policy.log()

    handle = begin(plant, policy)
    handle.cancel_goal_async()
    result = policy.result(handle)
    assert result.outcome.value == Outcome.CANCELLED
    assert result.reason.value == GuardReason.CANCELLED
    assert plant.impedance is False and at_rest(plant)
    assert result.ticks < 75

    handle = begin(plant, policy)
    assert policy.hold().success
    assert policy.result(handle).outcome.value == Outcome.STOPPED
    assert plant.impedance is False and at_rest(plant)
    assert "hold was requested" in policy.insert().outcome.message
    assert policy.rearm().success

    handle = begin(plant, policy)
    assert policy.stop().success
    result = policy.result(handle)
    assert result.outcome.value == Outcome.STOPPED and result.reason.value == GuardReason.REQUESTED
    assert plant.impedance is False and at_rest(plant)
    assert policy.insert().reason.value == GuardReason.REQUESTED
    assert policy.rearm().success

    handle = begin(plant, policy)
    assert policy.insert().outcome.message == "an insertion is in progress; wait for it or cancel it"
    assert policy.deactivate()
    assert plant.impedance is False and at_rest(plant)
    assert policy.result(handle).reason.value == GuardReason.DEACTIVATED

    assert policy.activate(), policy.log()
    plant.refuse_switch = True
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert()
    assert result.outcome.value == Outcome.REFUSED
    assert result.reason.value == GuardReason.CONTROLLER_SWITCH_FAILED
    assert "joint 3 is on strike" in result.outcome.message
    plant.heal()

    handle = begin(plant, policy)
    second = plant.create_publisher(PoseStamped, plant.profile.target_pose_topic, 1)
    result = policy.result(handle)
    plant.destroy_publisher(second)
    assert result.reason.value == GuardReason.SECOND_PUBLISHER, result.outcome.message
    wait_for(lambda: policy.rearm().success, "re-arm")
    wait_for(lambda: policy.insert(task="other").reason.value == GuardReason.NONE, "end of the second")

    handle = begin(plant, policy)
    assert policy.end() == 0, policy.log()
    assert plant.impedance is False and at_rest(plant)


def test_a_clock_that_stops_ends_the_insertion(launch: Launch) -> None:
    plant, policy = launch(clock_timeout_s=0.5)
    assert policy.configure() and policy.activate(), policy.log()
    handle = begin(plant, policy)
    plant.paused = True
    result = policy.result(handle)
    assert (result.outcome.value, result.reason.value) == (Outcome.STOPPED, GuardReason.CLOCK_STOPPED), result.outcome
    assert plant.impedance is False and at_rest(plant)
    assert policy.insert().reason.value == GuardReason.CLOCK_STOPPED
    assert not policy.rearm().success
    plant.heal()
    wait_for(lambda: policy.rearm().success, "re-arm once the clock goes on")
    plant.place()
    plant.wait_for_steps(20)
    assert policy.insert().outcome.value == Outcome.SUCCESS
    plant.paused = True
    wait_for(lambda: policy.insert().reason.value == GuardReason.CLOCK_STOPPED, "a refusal while the clock stands")
    assert policy.rearm().success is False


def test_a_dry_run_commands_nothing_and_shows_what_it_would(launch: Launch) -> None:
    plant, policy = launch(dry_run=True)
    shown: list[PoseStamped] = []
    plant.create_subscription(PoseStamped, "/refinery_policy/shadow_target", shown.append, 1)
    assert policy.configure() and policy.activate(), policy.log()
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert()
    assert result.outcome.value == Outcome.FAILED and result.outcome.message.startswith("dry run"), result.outcome
    assert result.ticks == plant.task.control.episode_steps
    assert len(shown) > 10
    assert not plant.targets and not plant.impedance_calls and not plant.stiffness
    assert plant.count_publishers(plant.profile.target_pose_topic) == 0
    wait_for(lambda: policy.status().dry_run, "dry run in the status")


def test_activation_names_what_is_missing(launch: Launch) -> None:
    plant, policy = launch(silent=("wrench",), activation_timeout_s=0.5)
    assert policy.configure(), policy.log()
    assert not policy.activate()
    expected = f"no message on /{plant.profile.wrench_topic} within 0.5 s"
    wait_for(lambda: expected in policy.status().reason.message, "reason in the status")
    assert policy.status().reason.value == GuardReason.TOPIC_MISSING
    assert expected in policy.log()
    assert policy.insert().outcome.value == Outcome.REFUSED
    assert plant.targets == []


def test_activation_refuses_a_second_publisher_and_a_wrong_quality_of_service(launch: Launch) -> None:
    plant, policy = launch(estimate_qos=ReliabilityPolicy.BEST_EFFORT, activation_timeout_s=1.0)
    assert policy.configure(), policy.log()
    assert not policy.activate()
    wait_for(lambda: policy.status().reason.value == GuardReason.QOS_INCOMPATIBLE, "QOS_INCOMPATIBLE")
    assert "expected a RELIABLE publisher, got BEST_EFFORT from test_plant" in policy.status().reason.message
    plant.destroy_publisher(plant._out["socket"])
    plant._out["socket"] = plant.create_publisher(PoseStamped, plant.profile.socket_pose_topic, 1)
    second = plant.create_publisher(PoseStamped, plant.profile.target_pose_topic, 1)
    wait_for(lambda: not policy.activate() and "test_plant" in policy.log(), "refusal")
    wait_for(lambda: policy.status().reason.value == GuardReason.SECOND_PUBLISHER, "SECOND_PUBLISHER")
    plant.destroy_publisher(second)
    wait_for(policy.activate, "activation once the second is gone")


def test_a_corrupted_bundle_fails_to_configure_and_ends_an_autostart(
    launch: Launch, quick_bundle: Path, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(quick_bundle, tmp_path / "broken"))
    content = bytearray((broken / "policy.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (broken / "policy.onnx").write_bytes(content)
    plant, policy = launch(bundle=broken)
    assert not policy.configure()
    wait_for(lambda: "expected SHA-256" in policy.status().reason.message, "reason in the status")
    assert policy.end() == 0
    again = PolicyProcess(plant, tmp_path / "auto.log", bundle=broken, robot_profile=PROFILE, autostart=True)
    try:
        assert again.process.wait(60) == 1
        assert "policy.onnx: expected SHA-256" in again.log()
    finally:
        again.close()


def test_a_policy_that_asks_too_much_of_the_robot_is_refused_at_configure(
    launch: Launch, quick_task: Task, tmp_path: Path
) -> None:
    control = dataclasses.replace(quick_task.control, stiffness=(1200.0, 600.0, 600.0, 30.0, 30.0, 30.0))
    stiff = tiny_bundle(tmp_path / "stiff", dataclasses.replace(quick_task, control=control))
    _, policy = launch(bundle=stiff)
    assert not policy.configure()
    sentence = "task control.stiffness x: expected at most 900 N/m (impedance.max_stiffness), got 1200 N/m"
    wait_for(lambda: sentence in policy.status().reason.message, "reason in the status")
    assert f"{stiff / 'manifest.json'} does not fit" in policy.status().reason.message
    assert "twin.yaml" in policy.status().reason.message
    assert policy.end() == 0


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"provider": "rocm"}, "provider: expected one that is installed (auto, cpu"),
        ({"realtime_cpu": 4095}, "realtime_cpu: expected one of [0"),
    ],
)
def test_where_a_policy_cannot_run_is_refused_at_configure(
    launch: Launch, parameters: dict[str, object], sentence: str
) -> None:
    _, policy = launch(**parameters)
    assert not policy.configure()
    wait_for(lambda: sentence in policy.status().reason.message, "reason in the status")
    assert policy.end() == 0


def test_gains_that_the_policy_was_not_trained_with_are_warned_of_at_configure(
    launch: Launch, quick_task: Task, tmp_path: Path
) -> None:
    softer = dataclasses.replace(quick_task.control, stiffness=tuple(k / 2 for k in quick_task.control.stiffness))
    soft = dataclasses.replace(quick_task, control=softer)
    bundle = tiny_bundle(tmp_path / "soft", soft, trained_with=TrainedWith.of(quick_task))
    _, policy = launch(bundle=bundle)
    assert policy.configure(), policy.log()
    (line,) = (line for line in policy.log().splitlines() if "control.stiffness" in line)
    assert "[WARN]" in line and "trained at 600 N/m, now 300 (control.stiffness x, y, z)" in line


def test_autostart_waits_for_the_robot(launch: Launch) -> None:
    plant, policy = launch(autostart=True, command_rate_hz=200.0)
    plant.place()
    wait_for(lambda: policy.insert().outcome.value == Outcome.SUCCESS or plant.place(), "success")
    assert policy.end() == 0
    assert "bundle tiny: no envelope of observations" in policy.log()


def test_a_folder_that_takes_no_recordings_is_refused_before_the_arm_moves(launch: Launch) -> None:
    _, policy = launch(record_dir="/proc/nohome/records")
    assert not policy.configure()
    assert "/proc/nohome/records: could not be written" in policy.log() and "record_dir" in policy.log()
    assert "Traceback" not in policy.log()


def test_a_full_disk_costs_the_recording_and_not_the_insertion(launch: Launch, tmp_path: Path) -> None:
    plant, policy = launch(record_dir=tmp_path / "records")
    assert policy.configure() and policy.activate(), policy.log()
    before = resource.prlimit(policy.process.pid, resource.RLIMIT_FSIZE)
    # No file of that process may grow any more, its log neither.
    resource.prlimit(policy.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert(trial_id=1)
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
    assert plant.impedance_calls == [True, False] and at_rest(plant)
    assert list((tmp_path / "records").iterdir()) == []
    resource.prlimit(policy.process.pid, resource.RLIMIT_FSIZE, before)
    plant.place()
    plant.wait_for_steps(20)
    assert policy.insert(trial_id=2).outcome.value == Outcome.SUCCESS
    (path,) = (tmp_path / "records").iterdir()
    assert path.name.endswith("trial_2.npz") and Recording.load(path).level.max() == 0
