"""Samples and the clock they are compared with arrive separately: which arrives first must not matter."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import rclpy
from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, WrenchStamped
from policy_process import wait_for
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.time import Time
from rosgraph_msgs.msg import Clock

from refinery.robot_profile import load_robot_profile
from refinery_policy_node.topics import RobotTopics
from refinery_ros import qos

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("ros_domain")]


class Cell:
    """Publishes every input, and the clock on request."""

    def __init__(self, node: LifecycleNode) -> None:
        topics = load_robot_profile("twin").topics
        best = qos.SENSOR
        kinds = {topics.pose.name: PoseStamped, topics.wrench.name: WrenchStamped, topics.socket_pose.name: PoseStamped}
        kinds[topics.robot_state.name] = FrankaRobotState
        reliable = qos.COMMAND
        self._out = [(node.create_publisher(kind, name, reliable), kind) for name, kind in kinds.items()]
        self._clock = node.create_publisher(Clock, "/clock", best)

    def tick_clock(self, now_s: float) -> None:
        self._clock.publish(Clock(clock=Time(seconds=now_s).to_msg()))

    def publish(self, now_s: float) -> None:
        for publisher, kind in self._out:
            message = kind()
            message.header.stamp = Time(seconds=now_s).to_msg()
            publisher.publish(message)


@pytest.fixture
def topics(ros_domain: int) -> Iterator[tuple[RobotTopics, Cell]]:
    rclpy.init(domain_id=ros_domain)
    node = LifecycleNode("reader", parameter_overrides=[Parameter("use_sim_time", value=True)])
    topics, cell = RobotTopics(node, load_robot_profile("twin")), Cell(node)

    def arrived() -> bool:
        cell.publish(9.0)
        cell.tick_clock(9.0)
        time.sleep(0.02)
        inputs = topics.inputs()
        return inputs is not None and inputs.now_s == pytest.approx(9.0)

    wait_for(arrived, "inputs")
    yield topics, cell
    topics.destroy()
    node.destroy_node()
    rclpy.shutdown()


def test_a_clock_that_arrives_after_the_samples_is_waited_for(topics: tuple[RobotTopics, Cell]) -> None:
    reader, cell = topics
    cell.publish(10.0)
    wait_for(lambda: reader.inputs().measured.stamp_s == 10.0, "samples")
    late = threading.Timer(0.005, cell.tick_clock, [10.0])
    late.start()

    def in_time() -> bool:
        inputs = reader.inputs()
        return inputs.now_s == pytest.approx(10.0) and inputs.measured.stamp_s == 10.0

    wait_for(in_time, "clock")
    late.join()


def test_a_clock_that_does_not_come_is_not_waited_for_long(topics: tuple[RobotTopics, Cell]) -> None:
    reader, cell = topics
    cell.publish(10.0)
    wait_for(lambda: reader.inputs().measured.stamp_s == 10.0, "samples")
    # A stamp in the future is the guard's business.
    assert reader.inputs().now_s == pytest.approx(9.0)


def test_samples_are_missing_until_all_have_come(ros_domain: int) -> None:
    rclpy.init(domain_id=ros_domain)
    node = LifecycleNode("lonely", parameter_overrides=[Parameter("use_sim_time", value=True)])
    topics = RobotTopics(node, load_robot_profile("twin"))
    assert topics.inputs() is None
    assert "/clock" in topics.missing() and len(topics.missing()) == 5
    topics.destroy()
    node.destroy_node()
    rclpy.shutdown()
