"""A defect in any callback: the arm is held and handed back, the client hears, the reason stays, the process lives."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from lifecycle_msgs.msg import State, Transition
from policy_cell import at_rest, begin, launching, make_active
from policy_plant import Plant
from policy_process import PolicyProcess, wait_for
from std_msgs.msg import String

from refinery.task import Task
from refinery_msgs.msg import GuardReason, Outcome
from refinery_ros import qos

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]
PROGRAM = (str(Path(__file__).with_name("breakable_node.py")),)


class Rig:
    """A cell, a policy node whose callbacks can be broken, and what to break them with."""

    def __init__(self, plant: Plant, policy: PolicyProcess) -> None:
        self.plant, self.policy = plant, policy
        reports: list[String] = []
        plant.create_subscription(String, "/breakable/callbacks", reports.append, qos.STATUS)
        self._break = plant.create_publisher(String, "/breakable/break", 10)
        wait_for(lambda: self._break.get_subscription_count() > 0, "subscription to breaks")
        self._reports, self._broken = reports, 0

    def names(self, part: str) -> list[str]:
        """Names of the callbacks that there are now."""
        self._reports.clear()
        names = wait_for(lambda: self._reports and json.loads(self._reports[-1].data), "names of callbacks")["names"]
        return [name for name in names if name.startswith(part)]

    def break_once(self, name: str) -> None:
        """Let a callback raise the next time it is called."""
        self._broken += 1
        self._break.publish(String(data=name))
        wait_for(
            lambda: self._reports and json.loads(self._reports[-1].data)["breaks"] == self._broken, f"break of {name}"
        )

    def check_stopped(self, result: Any) -> None:
        """Whatever was broken: a stop for this reason that stays, an arm at rest under its own controller."""
        policy, plant = self.policy, self.plant
        assert (result.outcome.value, result.reason.value) == (Outcome.STOPPED, GuardReason.DEFECT), result.outcome
        self.check_let_go()
        plant.place()
        refused = policy.insert()
        assert (refused.outcome.value, refused.reason.value) == (Outcome.REFUSED, GuardReason.DEFECT), refused.outcome
        assert not plant.targets
        assert policy.status().reason.value == GuardReason.DEFECT
        assert policy.rearm().success

    def check_let_go(self) -> None:
        assert self.policy.process.poll() is None, self.policy.log()
        assert self.plant.impedance is False and at_rest(self.plant)

    def check_whole(self) -> None:
        """The node works as before."""
        self.plant.place()
        self.plant.wait_for_steps(20)
        result = self.policy.insert()
        assert result.outcome.value == Outcome.SUCCESS, result.outcome.message


@pytest.fixture(scope="module")
def running(quick_task: Task, quick_bundle: Path, ros_domain: int, tmp_path_factory: pytest.TempPathFactory):
    with launching(quick_task, quick_bundle, tmp_path_factory.mktemp("defects"), ros_domain) as launch:
        yield Rig(*launch(program=PROGRAM))


@pytest.fixture
def rig(running: Rig) -> Rig:
    """One node for all tests, which lives through every defect."""
    make_active(running.plant, running.policy)
    return running


def test_every_timer_and_subscription(rig: Rig) -> None:
    handle = begin(rig.plant, rig.policy)
    names = set(rig.names("timer") + rig.names("subscription"))
    rig.policy.result(handle)
    assert names == {
        "timer PolicyNode._watch",
        "timer Insertion._tick",
        "timer RobotState.read",
        "subscription /clock",
    }
    for name in sorted(names):
        handle = begin(rig.plant, rig.policy)
        rig.break_once(name)
        rig.check_stopped(rig.policy.result(handle))
    rig.check_whole()


def test_every_service(rig: Rig) -> None:
    names = [name.removeprefix("service ") for name in rig.names("service")]
    assert {"/refinery_policy/hold", "/refinery_policy/stop", "/refinery_policy/rearm"} < set(names)
    assert len(names) > 10
    types = dict(rig.plant.get_service_names_and_types_by_node("refinery_policy", "/"))
    for name in names:
        kind = _service_type(types[f"/{name.lstrip('/')}"][0])
        client = rig.plant.create_client(kind, name)
        handle = begin(rig.plant, rig.policy)
        rig.break_once(f"service {name}")
        answer = rig.policy._call(client, kind.Request())
        assert not getattr(answer, "success", False) and not getattr(answer, "successful", False)
        rig.check_stopped(rig.policy.result(handle))
        rig.plant.destroy_client(client)
    rig.check_whole()


@pytest.mark.parametrize("name", ["_feedback", "plug_offset", "publish_target"])
def test_what_an_insertion_calls_on_its_way(rig: Rig, name: str) -> None:
    handle = begin(rig.plant, rig.policy)
    rig.break_once(name)
    rig.check_stopped(rig.policy.result(handle))
    rig.check_whole()


def test_the_report_of_an_end_and_a_cancellation(rig: Rig) -> None:
    handle = begin(rig.plant, rig.policy)
    rig.break_once("status")
    # The insertion itself was right, and is said to be; the defect stays all the same.
    assert rig.policy.result(handle).outcome.value == Outcome.SUCCESS
    rig.check_let_go()
    wait_for(lambda: rig.policy.insert().reason.value == GuardReason.DEFECT, "a latched reason")
    assert rig.policy.rearm().success
    handle = begin(rig.plant, rig.policy)
    rig.break_once("cancellation of insert")
    handle.cancel_goal_async()
    result = rig.policy.result(handle)
    assert result.reason.value == GuardReason.DEFECT, result.outcome.message
    rig.check_let_go()


@pytest.mark.parametrize(
    ("name", "request_id"),
    [
        ("on_deactivate", Transition.TRANSITION_DEACTIVATE),
        ("on_shutdown", Transition.TRANSITION_ACTIVE_SHUTDOWN),
    ],
)
def test_a_transition_during_an_insertion(rig: Rig, name: str, request_id: int) -> None:
    handle = begin(rig.plant, rig.policy)
    rig.break_once(f"transition {name}")
    assert not rig.policy.transition(request_id)
    result = rig.policy.result(handle)
    assert (result.outcome.value, result.reason.value) == (Outcome.STOPPED, GuardReason.DEFECT), result.outcome
    rig.check_let_go()
    wait_for(lambda: rig.policy.status().reason.value == GuardReason.DEFECT, "the reason in the status")
    assert rig.policy.insert().outcome.value == Outcome.REFUSED
    assert rig.policy.state_id() == State.PRIMARY_STATE_UNCONFIGURED
    assert rig.policy.configure() and rig.policy.activate(), rig.policy.log()
    rig.check_whole()


def test_a_transition_without_one(rig: Rig) -> None:
    policy = rig.policy
    assert policy.deactivate()
    for name, trigger in (
        ("on_activate", policy.activate),
        ("on_cleanup", lambda: policy.transition(Transition.TRANSITION_CLEANUP)),
        ("on_configure", policy.configure),
    ):
        _ready_for(rig, name)
        rig.break_once(f"transition {name}")
        assert not trigger()
        assert rig.policy.state_id() == State.PRIMARY_STATE_UNCONFIGURED
        assert policy.process.poll() is None
    assert policy.configure() and policy.activate(), policy.log()
    rig.check_whole()


def test_a_request_that_does_not_fit_the_state_changes_nothing(rig: Rig) -> None:
    handle = begin(rig.plant, rig.policy)
    for unfit in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CLEANUP, 77):
        assert not rig.policy.transition(unfit)
    result = rig.policy.result(handle)
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message


def _ready_for(rig: Rig, transition: str) -> None:
    """Bring the node into the state that a transition starts from."""
    if transition != "on_configure" and rig.policy.state_id() == State.PRIMARY_STATE_UNCONFIGURED:
        assert rig.policy.configure(), rig.policy.log()


def _service_type(name: str) -> Any:
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.srv"), kind)
