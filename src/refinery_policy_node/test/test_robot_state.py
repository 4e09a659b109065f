"""The robot's state is read between the ticks, and by the tick itself only if that reading is overdue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from franka_msgs.msg import FrankaRobotState
from policy_process import wait_for
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.serialization import serialize_message

from refinery.tick.samples import RobotMode
from refinery_policy_node.robot_state import OVERDUE_S, RobotState, StateReader, robot_sample
from refinery_ros import qos
from refinery_ros.polled_subscription import PolledSubscription

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]
Publish = Callable[[int], None]


@pytest.fixture
def node(ros_domain: int) -> Iterator[LifecycleNode]:
    rclpy.init(domain_id=ros_domain)
    node = LifecycleNode("reader")
    yield node
    node.destroy_node()
    rclpy.shutdown()


@pytest.fixture
def topic(node: LifecycleNode) -> PolledSubscription:
    return PolledSubscription(node, "robot_state", FrankaRobotState, qos.COMMAND, "test", raw=True)


@pytest.fixture
def publish(node: LifecycleNode, topic: PolledSubscription) -> Iterator[Publish]:
    """Publish a mode and wait until it has arrived, without taking it."""
    publisher = node.create_publisher(FrankaRobotState, "robot_state", 1)
    seen = LifecycleNode("witness")
    witness = PolledSubscription(seen, "robot_state", FrankaRobotState, qos.COMMAND, "test")
    wait_for(lambda: publisher.get_subscription_count() >= 2, "both subscriptions")

    def publish(mode: int) -> None:
        before = witness.received
        publisher.publish(FrankaRobotState(robot_mode=mode))
        wait_for(lambda: witness.poll() is not None and witness.received > before, "message")
        time.sleep(0.05)

    yield publish
    witness.destroy()
    seen.destroy_node()


def test_without_the_timer_the_state_is_read_on_demand(
    node: LifecycleNode, topic: PolledSubscription, publish: Publish
) -> None:
    now_s = [100.0]
    state = RobotState(node, topic, lambda: now_s[0])
    assert state.sample(100.0) is None
    publish(RobotMode.MOVE)
    first = state.sample(100.0)
    assert first is not None and first.mode == RobotMode.MOVE
    publish(RobotMode.REFLEX)
    assert state.sample(100.0 + OVERDUE_S / 2) is first, "read a moment ago"
    now_s[0] = 100.0 + 2 * OVERDUE_S
    assert state.sample(now_s[0]).mode == RobotMode.REFLEX, "the last reading is overdue"
    now_s[0] = 50.0
    publish(RobotMode.MOVE)
    assert state.sample(now_s[0]).mode == RobotMode.MOVE, "the clock went back"


def test_an_old_message_is_not_read_twice(node: LifecycleNode, topic: PolledSubscription, publish: Publish) -> None:
    state = RobotState(node, topic, lambda: 100.0)
    publish(RobotMode.MOVE)
    first = state.sample(100.0)
    assert first is not None
    # A robot that fell silent: the sample keeps its stamp, and the guard sees it grow old.
    assert state.sample(200.0) is first


def test_the_timer_reads_between_the_ticks(node: LifecycleNode, topic: PolledSubscription, publish: Publish) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    state = RobotState(node, topic, lambda: 100.0)

    def spin(seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            executor.spin_once(timeout_sec=0.02)

    publish(RobotMode.MOVE)
    spin(0.2)
    assert topic.received == 0, "no insertion: nothing is read, nothing wakes up"
    state.read_ahead(True)
    wait_for(lambda: spin(0.02) or topic.received == 1, "reading by the timer")
    assert state.sample(100.0).mode == RobotMode.MOVE
    publish(RobotMode.IDLE)
    wait_for(lambda: spin(0.02) or state.sample(100.0).mode == RobotMode.IDLE, "next reading")
    state.read_ahead(False)
    publish(RobotMode.MOVE)
    spin(0.2)
    assert state.sample(100.0).mode == RobotMode.IDLE
    state.destroy()
    executor.shutdown()


def test_errors_are_named() -> None:
    message = FrankaRobotState(robot_mode=RobotMode.REFLEX)
    message.current_errors.joint_reflex = True
    message.header.stamp.sec, message.header.stamp.nanosec = 3, 500_000_000
    for sample in (robot_sample(message), StateReader(FrankaRobotState).read(serialize_message(message))):
        assert (sample.mode, sample.errors, sample.stamp_s) == (RobotMode.REFLEX, ("joint_reflex",), 3.5)


def test_a_message_that_cannot_be_read_in_parts_is_read_whole() -> None:
    class Fork(FrankaRobotState):
        @classmethod
        def get_fields_and_field_types(cls) -> dict[str, str]:
            return {"history": "sequence<franka_msgs/Errors>", **FrankaRobotState.get_fields_and_field_types()}

    message = FrankaRobotState(robot_mode=RobotMode.REFLEX)
    message.current_errors.joint_reflex = True
    sample = StateReader(Fork).read(serialize_message(message))
    assert (sample.mode, sample.errors) == (RobotMode.REFLEX, ("joint_reflex",))


def test_the_modes_are_those_of_the_message() -> None:
    prefix = "ROBOT_MODE_"
    assert {mode.name: mode.value for mode in RobotMode} == {
        name.removeprefix(prefix): getattr(FrankaRobotState, name)
        for name in dir(FrankaRobotState)
        if name.startswith(prefix)
    }
