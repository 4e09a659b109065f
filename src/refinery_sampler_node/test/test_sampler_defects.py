"""A defect in any callback while the arm moves: it comes to rest, the client hears why, the process lives."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from sampler_harness import SOCKET, Cell, running_cell, stop_sampler
from std_msgs.msg import String

from refinery.kinematics import ArmKinematics
from refinery.robot_profile import RobotProfile
from refinery.task import Task
from refinery_msgs.msg import Outcome
from refinery_msgs.srv import SampleInit
from refinery_ros import qos

pytestmark = pytest.mark.ros
PROGRAM = (str(Path(__file__).with_name("breakable_sampler.py")),)


class Rig:
    """A cell with a sampler whose callbacks can be broken, and what to break them with."""

    def __init__(self, cell: Cell) -> None:
        self.cell, node = cell, cell.client.node
        self._told: list[String] = []
        self.status: list[DiagnosticStatus] = []
        node.create_subscription(String, "/breakable/callbacks", self._told.append, qos.STATUS)
        node.create_subscription(DiagnosticStatus, "/refinery_sampler/status", self.status.append, qos.STATUS)
        self._break = node.create_publisher(String, "/breakable/break", 10)
        cell.client.wait_for(lambda: self._break.get_subscription_count() > 0, "subscription to breaks")

    def _says(self) -> dict[str, Any]:
        self._told.clear()
        self.cell.client.wait_for(lambda: bool(self._told), "names of callbacks")
        return dict(json.loads(self._told[-1].data))

    def names(self, kind: str) -> list[str]:
        """Names of the callbacks of a kind that there are now."""
        return sorted(name for name in self._says()["names"] if name.startswith(f"{kind} "))

    def break_once(self, name: str) -> None:
        """Let a callback raise the next time it is called."""
        before = self._says()["breaks"]
        self._break.publish(String(data=name))
        self.cell.client.wait_for(lambda: self._says()["breaks"] > before, f"break of {name}")

    def begin(self) -> Any:
        """From home, with a fresh estimate: the arm moves, slowly enough that it will for long."""
        self.cell.robot.restore()
        self.cell.client.feedback.clear()
        self.cell.settle_estimates()
        handle = self.cell.client.start_moving()
        self.cell.robot.speed = 0.3
        return handle

    def change(self, number: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=number))
        return bool(self.cell.client.service(ChangeState, "/refinery_sampler/change_state", request).success)

    def state(self) -> int:
        answer = self.cell.client.service(GetState, "/refinery_sampler/get_state", GetState.Request())
        return int(answer.current_state.id)

    def check_stopped(self, handle: Any, name: str) -> None:
        """Whatever was broken: a result that says so, an arm at rest, a reason in the status, a process that lives."""
        self.cell.robot.speed = 3.0
        placed = self.cell.client.result(handle)
        assert placed.outcome.value == Outcome.STOPPED, (name, placed.outcome.message)
        assert "a defect" in placed.outcome.message, (name, placed.outcome.message)
        self.cell.expect_halt()
        assert self.cell.process.poll() is None, self.cell.log.read_text()
        self.check_said(name)

    def check_said(self, name: str) -> None:
        def said() -> bool:
            last = self.status[-1]
            return last.level == DiagnosticStatus.ERROR and "a defect" in last.message and "BrokenError" in last.message

        self.cell.client.wait_for(said, f"reason in the status after {name}")

    def check_whole(self) -> None:
        """The node works as before, and says so once it was activated again."""
        if self.state() == State.PRIMARY_STATE_ACTIVE:
            assert self.change(Transition.TRANSITION_DEACTIVATE)
        elif self.state() == State.PRIMARY_STATE_UNCONFIGURED:
            assert self.change(Transition.TRANSITION_CONFIGURE)
        assert self.change(Transition.TRANSITION_ACTIVATE)
        self.cell.robot.restore()
        self.cell.settle_estimates()
        assert self.cell.client.place().outcome.value == Outcome.SUCCESS
        self.cell.client.wait_for(lambda: self.status[-1].level == DiagnosticStatus.OK, "a status without a defect")


@pytest.fixture(scope="module")
def rig(
    profile: RobotProfile, arm: ArmKinematics, task: Task, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("defects")
    with running_cell(profile, arm, task, folder, program=PROGRAM) as cell:
        yield Rig(cell)
        assert stop_sampler(cell.process) == 0, cell.log.read_text()


def test_every_timer_and_subscription(rig: Rig) -> None:
    profile = rig.cell.robot.profile
    # Joint states and tool pose are polled: no callback of theirs runs.
    served = {"clock", "tf", "tf_static", profile.socket_pose_topic}
    timers = {"PlaceServer._on_timer", "SamplerNode._on_status", "Display._publish_markers"}
    subscriptions = rig.names("subscription")
    assert set(rig.names("timer")) == {f"timer {name}" for name in timers}
    assert {name.removeprefix("subscription /") for name in subscriptions} == served
    for name in (*rig.names("timer"), *subscriptions):
        # Nobody in this cell has static transforms to say.
        if name.endswith("/tf_static"):
            continue
        handle = rig.begin()
        rig.break_once(name)
        rig.cell.robot.send_transform(profile.base_frame, "camera", SOCKET)
        rig.check_stopped(handle, name)
    rig.check_whole()


def test_every_service(rig: Rig) -> None:
    names = [name.removeprefix("service ") for name in rig.names("service")]
    assert {"/sample_init", "/refinery_sampler/reset_estimate"} < set(names) and len(names) > 10
    node = rig.cell.client.node
    types = dict(node.get_service_names_and_types_by_node("refinery_sampler", "/"))
    for name in names:
        kind = _service_type(types[f"/{name.lstrip('/')}"][0])
        handle = rig.begin()
        rig.break_once(f"service {name}")
        answer = rig.cell.client.service(kind, name, kind.Request())
        assert not getattr(answer, "success", False) and not getattr(answer, "successful", False)
        rig.check_stopped(handle, name)
    rig.check_whole()


@pytest.mark.parametrize("name", ["joints", "tool", "until_rest"])
def test_what_a_placement_calls_on_its_way(rig: Rig, name: str) -> None:
    handle = rig.begin()
    rig.break_once(name)
    if name != "joints":
        handle.cancel_goal_async()
    rig.check_stopped(handle, name)
    rig.check_whole()


def test_the_work_behind_a_request(rig: Rig) -> None:
    handle = rig.begin()
    rig.break_once("show")
    answer = rig.cell.client.sample(socket_pose=rig.cell.socket_message())
    assert not answer.success and answer.error_code == SampleInit.Response.INTERNAL_ERROR and not answer.poses
    rig.check_stopped(handle, "show")
    rig.check_whole()


def test_the_cancellation(rig: Rig) -> None:
    handle = rig.begin()
    rig.break_once("cancellation of place")
    handle.cancel_goal_async()
    rig.check_stopped(handle, "cancellation")
    rig.check_whole()


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("on_deactivate", Transition.TRANSITION_DEACTIVATE),
        ("on_shutdown", Transition.TRANSITION_ACTIVE_SHUTDOWN),
    ],
)
def test_a_transition_while_the_arm_moves(rig: Rig, name: str, number: int) -> None:
    handle = rig.begin()
    rig.break_once(f"transition {name}")
    assert not rig.change(number)
    rig.check_stopped(handle, name)
    assert rig.state() == State.PRIMARY_STATE_UNCONFIGURED
    rig.check_whole()


def test_a_transition_without_a_placement(rig: Rig) -> None:
    ways = {
        "on_activate": Transition.TRANSITION_ACTIVATE,
        "on_cleanup": Transition.TRANSITION_CLEANUP,
        "on_configure": Transition.TRANSITION_CONFIGURE,
    }
    assert rig.change(Transition.TRANSITION_DEACTIVATE)
    for name, number in ways.items():
        if name == "on_cleanup":
            assert rig.change(Transition.TRANSITION_CONFIGURE)
        rig.break_once(f"transition {name}")
        assert not rig.change(number)
        assert rig.state() == State.PRIMARY_STATE_UNCONFIGURED
        rig.check_said(name)
    rig.check_whole()


def test_a_request_that_does_not_fit_the_state_changes_nothing(rig: Rig) -> None:
    handle = rig.begin()
    rig.cell.robot.speed = 3.0
    for unfit in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CLEANUP, 77):
        assert not rig.change(unfit)
    assert rig.cell.client.result(handle).outcome.value == Outcome.SUCCESS
    assert rig.state() == State.PRIMARY_STATE_ACTIVE and not np.any(rig.cell.robot.v)


def _service_type(name: str) -> Any:
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.srv"), kind)
