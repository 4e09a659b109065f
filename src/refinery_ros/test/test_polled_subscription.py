"""Polled subscriptions on a real graph: the newest message, its age from its arrival, and messages passed over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import rclpy
from rclpy.node import Node
from std_msgs.msg import Int32

from refinery.errors import NotReadyError
from refinery_ros import qos
from refinery_ros.polled_subscription import PolledSubscription
from refinery_ros.testing.graph import own_domain

pytestmark = pytest.mark.ros
PATIENCE_S = 30.0


@pytest.fixture
def node() -> Iterator[Node]:
    with own_domain():
        rclpy.init()
        node = rclpy.create_node("reader")
        try:
            yield node
        finally:
            node.destroy_node()
            rclpy.shutdown()


def _until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "nothing arrived"
        time.sleep(0.01)


def test_without_a_message_nothing_is_fresh(node: Node) -> None:
    topic = PolledSubscription(node, "number", Int32, qos.COMMAND, "test")
    assert topic.poll() is None and topic.age_s == float("inf")
    with pytest.raises(NotReadyError, match="/number; is the test running"):
        topic.fresh(1.0)


def test_the_age_counts_from_the_arrival_not_from_the_poll(node: Node) -> None:
    topic = PolledSubscription(node, "number", Int32, qos.COMMAND, "test")
    witness = PolledSubscription(node, "number", Int32, qos.COMMAND, "test")
    out = node.create_publisher(Int32, "number", qos.COMMAND)
    _until(lambda: out.get_subscription_count() == 2)
    out.publish(Int32(data=1))
    _until(lambda: witness.poll() is not None)
    time.sleep(0.3)
    # First poll: the message has been waiting for at least that long.
    assert 0.3 <= topic.age_s < PATIENCE_S
    with pytest.raises(NotReadyError, match=r"limit 0\.2 s"):
        topic.fresh(0.2)
    assert topic.fresh(PATIENCE_S).data == 1 and topic.received == 1


def test_messages_that_are_not_accepted_are_passed_over(node: Node) -> None:
    odd = PolledSubscription(node, "number", Int32, qos.JOINT_STATES, "test", lambda message: message.data % 2 == 1)
    out = node.create_publisher(Int32, "number", qos.JOINT_STATES)
    _until(lambda: out.get_subscription_count() == 1)
    out.publish(Int32(data=1))
    _until(lambda: odd.poll() is not None)
    witness = PolledSubscription(node, "number", Int32, qos.JOINT_STATES, "test")
    _until(lambda: out.get_subscription_count() == 2)
    out.publish(Int32(data=2))
    _until(lambda: witness.poll() is not None)
    assert odd.poll().data == 1 and odd.received == 1
