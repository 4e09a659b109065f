"""The recorder's node: a bag has what was published while it was in progress, however busy the recorder was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosbags.highlevel import AnyReader

from refinery_evaluation.recording.node import RecorderNode
from refinery_msgs.msg import PolicyTick
from refinery_msgs.srv import RecordBag
from refinery_ros.qos import RECORDING
from refinery_ros.testing.graph import own_domain

pytestmark = pytest.mark.ros
COUNT = 200


@pytest.fixture(scope="module")
def executor() -> Iterator[SingleThreadedExecutor]:
    with own_domain():
        rclpy.init()
        executor = SingleThreadedExecutor()
        yield executor
        executor.shutdown()
        rclpy.try_shutdown()


def steps_of(bag: Path) -> list[int]:
    with AnyReader([bag]) as reader:
        return [reader.deserialize(raw, kind.msgtype).step for kind, _, raw in reader.messages()]


def test_what_waits_when_a_bag_ends_is_in_it_and_not_in_the_next(
    executor: SingleThreadedExecutor, tmp_path: Path
) -> None:
    policy = Node("refinery_policy")
    publisher = policy.create_publisher(PolicyTick, "~/tick", RECORDING)
    recorder = RecorderNode()
    client = policy.create_client(RecordBag, "refinery_recorder/record")
    for node in (policy, recorder):
        executor.add_node(node)

    def ask(request: RecordBag.Request) -> Any:
        future = client.call_async(request)
        executor.spin_until_future_complete(future, timeout_sec=30.0)
        return future.result()

    assert client.wait_for_service(30.0)
    ask(RecordBag.Request(bag=str(tmp_path / "first")))
    while publisher.get_subscription_count() < 1:
        executor.spin_once(timeout_sec=0.1)
    # Nothing spins the recorder meanwhile: its executor is behind by all of them when it is told to end the bag.
    for step in range(COUNT):
        publisher.publish(PolicyTick(step=step))
    assert publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=10.0))
    assert ask(RecordBag.Request(keep=True)).messages == COUNT
    for step in range(COUNT, 2 * COUNT):
        publisher.publish(PolicyTick(step=step))
    assert publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=10.0))
    ask(RecordBag.Request(bag=str(tmp_path / "second")))
    publisher.publish(PolicyTick(step=999))
    assert publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=10.0))
    assert ask(RecordBag.Request(keep=True)).messages == 1
    assert steps_of(tmp_path / "first") == list(range(COUNT))
    assert steps_of(tmp_path / "second") == [999]
    for node in (policy, recorder):
        node.destroy_node()
