"""What goes wrong in the field: a clock that stops, a wrench that is biased, estimates that are turned."""

from __future__ import annotations

import numpy as np
import pytest
from policy_cell import Launch, at_rest, begin
from policy_process import wait_for

from refinery_msgs.msg import GuardReason, Outcome

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]


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


def test_a_biased_wrench_is_reported_then_refused(launch: Launch) -> None:
    plant, policy = launch()
    limit_n = plant.task.limits.max_wrench[0]
    assert policy.configure()
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
def test_turned_estimates_among_good_ones_do_no_harm(launch: Launch, turns_rad: list[float]) -> None:
    plant, policy = launch()
    assert policy.configure() and policy.activate(), policy.log()
    plant.estimate_turns_rad = turns_rad
    for _ in range(3):
        plant.place()
        plant.wait_for_steps(20)
        result = policy.insert()
        assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
        assert result.angle_error_rad < 0.02


def test_estimates_that_contradict_each_other_are_refused(launch: Launch) -> None:
    plant, policy = launch()
    assert policy.configure() and policy.activate(), policy.log()
    plant.estimate_turns_rad = [0.0, 0.5, 1.0, -0.5, -1.0]
    plant.place()
    plant.wait_for_steps(20)
    result = policy.insert()
    assert (result.outcome.value, result.reason.value) == (Outcome.REFUSED, GuardReason.SOCKET_ESTIMATE_LOST)
    assert not plant.targets and not plant.impedance_calls
