"""Every kind of fault on every stream it can strike, in the middle of a real insertion and before one."""

from __future__ import annotations

import pytest

from experiments.faults import processes
from experiments.faults.expectations import (
    CASES,
    DURING,
    EARLY,
    PROCESS,
    STOPPED,
    Case,
    mismatch,
    missing,
    rearmed_too_early,
)
from experiments.faults.injecting import Injection, Injector
from experiments.faults.observation import Observation
from refinery_msgs.msg import GuardReason, Outcome

pytestmark = pytest.mark.ros
SEED = 41


def check(case: Case, seen: Observation) -> None:
    """Hold an observation against what was expected."""
    problems = [mismatch(case, seen), rearmed_too_early(case, seen), seen.not_latched, *seen.unsafe]
    assert not any(problems), f"{[problem for problem in problems if problem]} in {seen.to_json()}"


def observe(case: Case, injector: Injector, injection: Injection) -> Observation:
    """Run an injection; once more where the machine stood still, which stops an insertion whatever is injected."""
    seen = injector.run(injection)
    stalled = seen.reason == "STATE_LOST" and "STATE_LOST" not in case.reasons
    # A stop that was not latched, re-armed too early or unsafe is wrong whatever its cause.
    wrong = seen.unsafe or seen.not_latched or rearmed_too_early(case, seen)
    return injector.run(injection) if stalled and not wrong else seen


def test_no_fault_of_the_twin_is_left_out() -> None:
    assert not missing()
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", DURING, ids=lambda case: case.name)
def test_in_the_middle_of_an_insertion(injector: Injector, case: Case) -> None:
    check(case, observe(case, injector, Injection(kind=case.kind, stream=case.stream, seed=SEED)))


@pytest.mark.parametrize("case", EARLY, ids=lambda case: case.name)
def test_before_an_insertion(injector: Injector, case: Case) -> None:
    check(case, observe(case, injector, Injection(kind=case.kind, stream=case.stream, seed=SEED, early=True)))


def test_a_stop_at_the_hand_over_stays_when_its_cause_has_passed(injector: Injector) -> None:
    """Between the switch of controllers and the first policy step the arm is under command already."""
    client = injector.client
    future = injector.begin(Injection(kind="reflex", seed=SEED))
    # The first target is sent before the controllers are switched, the second after that.
    client.wait_for(lambda: len(client.history.targets) > 1, "target after the switch")
    client.inject("reflex")
    client.wait_for(future.done, "result")
    client.inject("")
    client.wait_until(client.now_s + 0.15)
    result, again = future.result().result, client.insert(timeout_s=0.3)
    injector.recover()
    assert (result.outcome.value, result.reason.value) == (Outcome.STOPPED, GuardReason.REFLEX), result.outcome.message
    assert result.ticks == 0
    assert (again.outcome.value, again.reason.value) == (Outcome.REFUSED, GuardReason.REFLEX), again.outcome.message


def test_a_jump_that_no_arm_makes_is_found_though_it_stays_inside_the_workspace(injector: Injector) -> None:
    seen = injector.run(Injection(kind="jump", stream="pose", seed=SEED, magnitude=0.04))
    assert (seen.reaction, seen.reason) == (STOPPED, "STATE_INVALID"), seen.to_json()
    assert seen.ticks is not None and seen.ticks <= 2, seen.to_json()
    assert not seen.unsafe and not seen.not_latched, seen.to_json()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("qos", GuardReason.QOS_INCOMPATIBLE), ("second_publisher", GuardReason.SECOND_PUBLISHER)],
)
def test_the_node_does_not_become_active_while_it_stands(injector: Injector, kind: str, reason: int) -> None:
    client = injector.client
    client.trial(SEED)
    assert client.transition("deactivate")
    client.inject(kind)
    client.wait_until(client.now_s + 0.3)
    assert not client.transition("activate")
    client.wait_for(lambda: client.status.reason.value == reason, f"reason {reason} in the status")
    client.inject("")
    client.wait_for(lambda: client.transition("activate"), "activation after the end of the fault")


@pytest.mark.parametrize("case", PROCESS, ids=lambda case: case.name)
def test_the_node_and_the_cell(injector: Injector, case: Case) -> None:
    injection = Injection(kind=case.kind, seed=SEED, early=case.early, timeout_s=4.0)
    check(case, processes.inject(injector, injection))
