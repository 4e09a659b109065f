"""Exceptions of every kind of callback on a real graph: reported, answered, and the node goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Empty
from std_srvs.srv import Trigger

from refinery_ros.lifecycle import GuardedCallback, ManagedNode
from refinery_ros.testing.graph import own_domain

pytestmark = pytest.mark.ros
PATIENCE_S = 30.0


class Faulty(ManagedNode):
    """Raises in whatever callback is named."""

    def __init__(self) -> None:
        super().__init__("faulty")
        self.broken = ""
        self.defects: list[tuple[str, str]] = []
        self.ticks = 0
        self.create_timer(0.02, self.on_tick)
        self.create_service(Trigger, "~/trigger", self.on_trigger)
        self.create_subscription(Empty, "~/empty", self.on_empty, 10)

    def fail(self, name: str) -> None:
        if self.broken == name:
            self.broken = ""
            raise ValueError(name)

    def on_defect(self, where: str, error: Exception) -> None:
        self.defects.append((where, str(error)))
        self.fail("defect")

    def on_tick(self) -> None:
        self.ticks += 1
        self.fail("timer")

    def on_trigger(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        self.fail("service")
        return response

    def on_empty(self, _message: Empty) -> None:
        self.fail("subscription")

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.fail("configure")
        return super().on_configure(state)


class Rig:
    """The node under test and a client, spun by hand."""

    def __init__(self, node: Faulty, other: Any) -> None:
        self.node, self.other = node, other
        self.executor = SingleThreadedExecutor()
        for each in (node, other):
            self.executor.add_node(each)
        self.trigger = other.create_client(Trigger, "/faulty/trigger")
        self.change = other.create_client(ChangeState, "/faulty/change_state")
        self.state = other.create_client(GetState, "/faulty/get_state")
        self.empty = other.create_publisher(Empty, "/faulty/empty", 10)

    def until(self, condition: Callable[[], Any]) -> Any:
        end_s = time.monotonic() + PATIENCE_S
        while not (value := condition()):
            assert time.monotonic() < end_s, f"nothing within {PATIENCE_S} s; defects: {self.node.defects}"
            self.node.spin_once(self.executor, 0.05)
        return value

    def call(self, client: Any, request: Any) -> Any:
        # Until the server knows where to send it, an answer is lost.
        self.until(lambda: client.service_is_ready() and self.node.count_clients(client.srv_name) > 0)
        future = client.call_async(request)
        self.until(future.done)
        return future.result()

    def request(self, transition: int) -> bool:
        return bool(self.call(self.change, ChangeState.Request(transition=Transition(id=transition))).success)

    def state_id(self) -> int:
        return int(self.call(self.state, GetState.Request()).current_state.id)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with own_domain():
        rclpy.init()
        node, other = Faulty(), rclpy.create_node("other")
        try:
            yield Rig(node, other)
        finally:
            node.destroy_node()
            other.destroy_node()
            rclpy.shutdown()


def test_a_timer_is_reported_and_goes_on(rig: Rig) -> None:
    rig.until(lambda: rig.node.ticks)
    rig.node.broken = "timer"
    rig.until(lambda: rig.node.defects)
    before = rig.node.ticks
    rig.until(lambda: rig.node.ticks > before)
    assert [error for _, error in rig.node.defects] == ["timer"]


def test_a_service_answers_that_it_failed(rig: Rig) -> None:
    rig.node.broken = "service"
    answer = rig.call(rig.trigger, Trigger.Request())
    assert not answer.success
    assert "ValueError: service" in answer.message
    assert rig.node.defects == [("service /faulty/trigger", "service")]
    assert rig.call(rig.trigger, Trigger.Request()).success


def test_a_subscription_is_reported(rig: Rig) -> None:
    rig.until(lambda: rig.empty.get_subscription_count() > 0)
    rig.node.broken = "subscription"
    rig.empty.publish(Empty())
    rig.until(lambda: rig.node.defects)
    assert rig.node.defects == [("subscription /faulty/empty", "subscription")]


def test_a_transition_is_reported_and_leaves_the_node_unconfigured(rig: Rig) -> None:
    rig.node.broken = "configure"
    assert not rig.request(Transition.TRANSITION_CONFIGURE)
    assert rig.node.defects == [("transition on_configure", "configure")]
    assert rig.state_id() == State.PRIMARY_STATE_UNCONFIGURED
    assert rig.request(Transition.TRANSITION_CONFIGURE)


def test_a_transition_that_does_not_fit_fails_and_changes_nothing(rig: Rig) -> None:
    assert not rig.request(Transition.TRANSITION_ACTIVATE)
    assert rig.state_id() == State.PRIMARY_STATE_UNCONFIGURED
    assert rig.request(Transition.TRANSITION_CONFIGURE)
    for unfit in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_DEACTIVATE, 77):
        assert not rig.request(unfit)
    label = ChangeState.Request(transition=Transition(id=0, label="configure"))
    assert not rig.call(rig.change, label).success
    assert rig.state_id() == State.PRIMARY_STATE_INACTIVE
    assert not rig.node.defects
    assert not rig.node.transition(rig.node.trigger_configure)
    assert rig.node.transition(rig.node.trigger_activate)


def test_an_exception_beyond_the_callbacks_is_a_defect(rig: Rig) -> None:
    async def raising() -> None:
        raise ValueError("a task")

    rig.executor.create_task(raising)
    rig.until(lambda: rig.node.defects)
    assert rig.node.defects == [("the executor", "a task")]


def test_a_defect_in_the_handling_of_a_defect_ends_nothing(rig: Rig) -> None:
    rig.node.defect("a test", ValueError("first"))
    rig.node.broken = "defect"
    rig.node.defect("a test", ValueError("second"))
    assert [error for _, error in rig.node.defects] == ["first", "second"]
    assert rig.call(rig.trigger, Trigger.Request()).success


def test_every_callback_of_a_node_is_guarded(rig: Rig) -> None:
    entities = [*rig.node.timers, *rig.node.services, *rig.node.subscriptions]
    bare = [entity for entity in entities if not isinstance(_inner(entity.callback), GuardedCallback)]
    assert len(entities) > 10 and not bare, bare


def _inner(callback: Any) -> Any:
    """What refuses unfit transitions calls the guarded callback itself."""
    return callback.args[0] if hasattr(callback, "args") and callback.args else callback
