"""A policy node that learns its cell's calibration: what it applies, what teaches it nothing, what it refuses."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import rclpy
from policy_cell import Launch
from policy_process import wait_for
from rclpy.lifecycle import LifecycleNode
from std_srvs.srv import Trigger

from refinery.bundle import load_bundle
from refinery.calibration import CalibrationSpec, SocketCalibration
from refinery.calibration_file import calibration_path, save_calibration
from refinery.centring import HoleCentre
from refinery.rotations import Poses
from refinery.task import Task
from refinery.tick.recording import Recording
from refinery_msgs.msg import Outcome, SocketCorrection
from refinery_policy_node.cell_calibration import CellCalibration
from refinery_ros import qos

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]
FIXTURE = "left_nest"


def test_only_a_seated_plug_that_felt_both_walls_teaches(quick_bundle: Path, tmp_path: Path) -> None:
    context = rclpy.Context()
    rclpy.init(context=context)
    node = LifecycleNode("calibration_test", context=context)
    bundle, days = load_bundle(quick_bundle), timedelta(days=1)

    def begun() -> CellCalibration:
        return CellCalibration(node, folder=tmp_path, fixture=FIXTURE, bundle=bundle, base_frame="base", max_age=days)

    calibration, error_m = begun(), np.array([[3e-4, -2e-4, 0.0]])
    centre_m = np.array([[0.5, 0.01, 0.1]])
    play_m = np.full((1, 2), 2 * bundle.task.socket.clearance_m)
    hole = HoleCentre(centre_m=centre_m, width_m=0.9 * play_m)

    def learn(outcome: int = Outcome.SUCCESS, hole: HoleCentre | None = hole, *, undisturbed: bool = True) -> None:
        # What the camera says does not depend on what is made of it.
        estimate = Poses.from_xyz_rpy(centre_m + error_m, np.zeros((1, 3)))
        calibration.learn(outcome, hole, calibration.correction.apply(estimate), undisturbed=undisturbed)

    for outcome in (Outcome.FAILED, Outcome.STOPPED, Outcome.CANCELLED, Outcome.TIMED_OUT):
        learn(outcome)
    learn(hole=None)
    learn(undisturbed=False)
    for share in (0.2, 1.5):
        learn(hole=HoleCentre(centre_m=centre_m, width_m=share * play_m))
    assert not calibration.correction.applied and not any(tmp_path.iterdir())
    left_m = []
    for _ in range(8):
        learn()
        left_m.append(np.linalg.norm(calibration.correction.offset_m - error_m[0, :2]))
    assert calibration.correction.observations == 8 and left_m[-1] < left_m[0] < 2.5e-4 and left_m[-1] < 5e-5
    calibration.destroy()
    again = begun()
    assert again.correction.offset_m == pytest.approx(calibration.correction.offset_m, abs=1e-7)
    again.destroy()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_a_kept_calibration_is_applied_and_a_plug_that_feels_no_walls_teaches_nothing(
    launch: Launch, quick_task: Task, tmp_path: Path
) -> None:
    records, path = tmp_path / "records", calibration_path(tmp_path, FIXTURE)
    learnt = SocketCalibration(CalibrationSpec.of(quick_task), [[3e-4, -2e-4]] * 5)
    plant, policy = launch(record_dir=records, calibration_dir=tmp_path, calibration_fixture=FIXTURE)
    # So that a correction can be seen in the mean of the estimates.
    exact = dataclasses.replace(quick_task.noise, estimate_jitter_m=0.0)
    plant.cell.task = dataclasses.replace(quick_task, noise=exact)
    shown: list[SocketCorrection] = []
    plant.create_subscription(SocketCorrection, "socket_correction", shown.append, qos.STATUS)
    forget = plant.create_client(Trigger, "/refinery_policy/forget_calibration")

    def keep(task: str) -> None:
        frame = plant.profile.base_frame
        save_calibration(path, learnt, fixture=FIXTURE, task=task, base_frame=frame, provenance={})

    keep("another_task")
    assert not policy.configure()
    wait_for(lambda: "task: expected 'peg_rect', got 'another_task'" in policy.log(), "reason")

    keep(quick_task.name)
    assert policy.configure() and policy.activate(), policy.log()
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert()
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
    # What is reported is not where the plug was pushed to afterwards.
    assert result.lateral_error_m < 5e-4
    offset_m = np.array(learnt.correction().offset_m)
    (file,) = records.glob("*.npz")
    seen_m = Recording.load(file).estimate_pos_m.mean(axis=0)
    np.testing.assert_allclose((plant.cell.socket.pos_m[0] - seen_m)[:2], offset_m, atol=1e-6)
    wait_for(lambda: shown, "correction")
    assert shown[-1].applied and shown[-1].fixture == FIXTURE and shown[-1].task == quick_task.name
    np.testing.assert_allclose([shown[-1].x_m, shown[-1].y_m], offset_m)
    # The stand-in cell has no walls.
    assert "calibration: nothing learnt, the plug moved" in policy.log()
    assert json.loads(path.read_text())["observations_m"] == learnt.observations_m.tolist()

    answer = plant.executor.create_task(lambda: forget.call_async(Trigger.Request()))  # type: ignore[union-attr]
    wait_for(answer.done, "request to forget")
    wait_for(answer.result().done, "answer of forget_calibration")
    assert answer.result().result().success
    wait_for(lambda: not shown[-1].applied, "correction that is none")
    assert json.loads(path.read_text())["observations_m"] == []
