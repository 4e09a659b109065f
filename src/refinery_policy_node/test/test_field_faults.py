"""What goes wrong in the field: inputs that stop or jump, a robot that stops, a biased wrench, turned estimates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from franka_msgs.msg import FrankaRobotState
from policy_cell import begin, launching, make_active
from policy_plant import Plant
from policy_process import PolicyProcess, wait_for

from refinery.task import Task
from refinery_msgs.msg import GuardReason, Outcome, PolicyStatus
from refinery_ros.conversions import seconds

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]
Active = tuple[Plant, PolicyProcess]


@pytest.fixture(scope="module")
def running(
    quick_task: Task, quick_bundle: Path, ros_domain: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Active]:
    with launching(quick_task, quick_bundle, tmp_path_factory.mktemp("field"), ros_domain) as launch:
        yield launch()


@pytest.fixture
def active(running: Active) -> Active:
    """One node for all tests, active."""
    make_active(*running)
    return running


def test_faults_stop_and_stay_until_rearmed(active: Active) -> None:
    plant, policy = active

    def fault(name: str) -> None:
        if name == "force":
            plant.wrench = np.array([0.0, 0.0, -100.0, 0.0, 0.0, 0.0])
        elif name == "shift":
            plant.pose_shift_m = np.array([0.5, 0.0, 0.0])
        elif name == "nan":
            plant.pose_shift_m = np.array([np.nan, 0.0, 0.0])
        else:
            plant.frozen.add(name)

    for name, reason in [
        ("pose", GuardReason.STATE_LOST),
        ("socket", GuardReason.SOCKET_ESTIMATE_LOST),
        ("force", GuardReason.WRENCH_LIMIT),
        ("nan", GuardReason.STATE_INVALID),
        ("shift", GuardReason.OUT_OF_DISTRIBUTION),
    ]:
        handle = begin(plant, policy)
        policy.statuses.clear()
        with plant.lock:
            fault(name)
        result = policy.result(handle)
        assert (result.outcome.value, result.reason.value) == (Outcome.STOPPED, reason), result.outcome.message
        assert result.outcome.message == f"{result.reason.message}: {result.diagnosis.message}"
        assert plant.impedance is False
        count = len(plant.targets)
        wait_for(lambda: policy.status().state == PolicyStatus.STOPPED, "status STOPPED")
        assert policy.status().reason.value == reason
        # It was reported at once, before the arm was handed back, and not with the next regular status.
        stopped = [status for status in policy.statuses if status.state == PolicyStatus.STOPPED]
        assert seconds(stopped[0].header.stamp) <= seconds(result.pose_final.header.stamp)
        if name != "shift":
            assert not policy.rearm().success
        plant.heal()
        plant.place()
        assert policy.insert().outcome.value == Outcome.REFUSED
        assert not plant.targets, f"{count} targets were followed by more"
        wait_for(lambda: policy.rearm().success, "re-arm")
    plant.place()
    plant.wait_for_steps(20)
    assert policy.insert().outcome.value == Outcome.SUCCESS


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (FrankaRobotState.ROBOT_MODE_REFLEX, GuardReason.REFLEX),
        (FrankaRobotState.ROBOT_MODE_USER_STOPPED, GuardReason.USER_STOP),
        (FrankaRobotState.ROBOT_MODE_GUIDING, GuardReason.ROBOT_MODE),
    ],
)
def test_a_robot_that_stops_obeying_ends_the_insertion_and_arming_waits_for_it(
    active: Active, mode: int, reason: int
) -> None:
    plant, policy = active
    handle = begin(plant, policy)
    plant.mode = mode
    result = policy.result(handle)
    assert (result.outcome.value, result.reason.value) == (Outcome.STOPPED, reason), result.outcome.message
    wait_for(lambda: policy.status().reason.value == reason, "reason in the status")
    refused = policy.rearm()
    assert not refused.success and "the cause persists" in refused.message
    plant.heal()
    wait_for(lambda: policy.rearm().success, "re-arm")


def test_a_biased_wrench_is_reported_then_refused(active: Active) -> None:
    plant, policy = active
    limit_n = plant.task.limits.max_wrench[0]
    assert policy.deactivate()
    plant.wrench = np.array([0.875 * limit_n, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert not policy.activate()
    wait_for(lambda: policy.status().reason.value == GuardReason.WRENCH_OFFSET, "WRENCH_OFFSET")
    assert "external force x" in policy.status().reason.message
    plant.wrench = np.array([0.2 * limit_n, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert policy.activate(), policy.log()
    wait_for(lambda: "20 % of the limit" in policy.log(), "warning")
    plant.place()
    plant.wrench = np.array([0.0, -0.6 * limit_n, 0.0, 0.0, 0.0, 0.0])
    plant.wait_for_steps(20)
    result = policy.insert()
    assert (result.outcome.value, result.reason.value) == (Outcome.REFUSED, GuardReason.WRENCH_OFFSET), result.outcome
    assert "external force y" in result.outcome.message
    assert not plant.targets and not plant.impedance_calls
    # Nothing is latched: with the load set right it starts.
    plant.heal()
    plant.wait_for_steps(20)
    assert policy.insert().outcome.value == Outcome.SUCCESS


@pytest.mark.parametrize("turns_rad", [[0.0, 0.0, 0.0, 0.5], [0.0, 0.0, np.pi]])
def test_turned_estimates_among_good_ones_do_no_harm(active: Active, turns_rad: list[float]) -> None:
    plant, policy = active
    plant.estimate_turns_rad = turns_rad
    for _ in range(3):
        plant.place()
        plant.wait_for_steps(20)
        result = policy.insert()
        assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
        assert result.angle_error_rad < 0.02


def test_estimates_that_contradict_each_other_are_refused(active: Active) -> None:
    plant, policy = active
    plant.estimate_turns_rad = [0.0, 0.5, 1.0, -0.5, -1.0]
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert()
    assert (result.outcome.value, result.reason.value) == (Outcome.REFUSED, GuardReason.SOCKET_ESTIMATE_LOST)
    assert not plant.targets and not plant.impedance_calls
