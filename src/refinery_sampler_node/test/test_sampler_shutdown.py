"""A signal in the middle of a motion: the arm is brought to rest, the client hears why, no process is left."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sampler_harness import running_cell, stop_sampler

from refinery.kinematics import ArmKinematics
from refinery.robot_profile import RobotProfile
from refinery.task import Task
from refinery_msgs.msg import Outcome

pytestmark = pytest.mark.ros


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_moving(
    profile: RobotProfile, arm: ArmKinematics, task: Task, tmp_path: Path, number: signal.Signals
) -> None:
    with running_cell(profile, arm, task, tmp_path) as cell:
        cell.settle_estimates()
        handle = cell.client.start_moving()
        future = handle.get_result_async()
        cell.process.send_signal(number)
        cell.client.wait_for(future.done, "result of /place")
        outcome = future.result().result.outcome
        assert outcome.value == Outcome.STOPPED
        assert number.name in outcome.message
        assert stop_sampler(cell.process) == 0, cell.log.read_text()
        assert "Traceback" not in cell.log.read_text()
        cell.expect_halt()


def test_signal_while_idle(profile: RobotProfile, arm: ArmKinematics, task: Task, tmp_path: Path) -> None:
    with running_cell(profile, arm, task, tmp_path) as cell:
        cell.settle_estimates()
        assert stop_sampler(cell.process) == 0, cell.log.read_text()
        assert "Traceback" not in cell.log.read_text()
        assert not cell.robot.received
