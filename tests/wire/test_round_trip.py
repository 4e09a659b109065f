"""Messages of the re-declared types go through a real graph, from one participant to another, and arrive whole."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from controller_manager_msgs.srv import SwitchController
from franka_msgs.msg import FrankaRobotState
from rclpy.executors import SingleThreadedExecutor

GOLDEN = json.loads(Path(__file__).with_name("rihs01_jazzy.json").read_text())["rihs01"]
PATIENCE_S = 60.0
pytestmark = pytest.mark.ros


@pytest.fixture
def pair(ros_domain):
    """Two nodes, each a participant of its own, and a function that spins both until a condition holds."""
    contexts = [rclpy.Context(), rclpy.Context()]
    executors, nodes = [], []
    for name, context in zip(("robot", "user"), contexts, strict=True):
        rclpy.init(context=context, domain_id=ros_domain)
        nodes.append(rclpy.create_node(name, context=context))
        executors.append(SingleThreadedExecutor(context=context))
        executors[-1].add_node(nodes[-1])

    def spin_until(condition):
        limit = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < limit, f"nothing after {PATIENCE_S:.0f} s"
            for executor in executors:
                executor.spin_once(timeout_sec=0.01)

    yield *nodes, spin_until
    for executor, node, context in zip(executors, nodes, contexts, strict=True):
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)


def fill(message, numbers):
    """Give every field of a message, nested ones too, a value of its own."""
    for name, kind in message.get_fields_and_field_types().items():
        value = getattr(message, name)
        if hasattr(value, "get_fields_and_field_types"):
            fill(value, numbers)
        elif isinstance(value, np.ndarray):
            setattr(message, name, np.array([next(numbers) + 0.5 for _ in value]))
        elif kind == "sequence<double>":
            setattr(message, name, [next(numbers) + 0.5 for _ in range(7)])
        elif kind == "sequence<string>":
            setattr(message, name, [str(next(numbers)) for _ in range(7)])
        elif isinstance(value, bool):
            setattr(message, name, next(numbers) % 3 == 0)
        elif isinstance(value, float):
            setattr(message, name, next(numbers) + 0.5)
        elif isinstance(value, int):
            setattr(message, name, next(numbers) % 256)
        else:
            setattr(message, name, str(next(numbers)))
    return message


def test_a_robot_state_arrives_whole_and_announces_the_real_hash(pair):
    robot, user, spin_until = pair
    received = []
    publisher = robot.create_publisher(FrankaRobotState, "robot_state", 10)
    user.create_subscription(FrankaRobotState, "robot_state", received.append, 10)
    spin_until(lambda: publisher.get_subscription_count() == 1 and user.count_publishers("robot_state") == 1)
    sent = fill(FrankaRobotState(), itertools.count(1))
    publisher.publish(sent)
    spin_until(lambda: received)
    assert received == [sent]
    (info,) = user.get_publishers_info_by_topic("robot_state")
    assert str(info.topic_type_hash) == GOLDEN["franka_msgs/msg/FrankaRobotState"]


def test_a_switch_is_asked_for_and_answered(pair):
    robot, user, spin_until = pair
    asked = []

    def switch(request, response):
        asked.append(request)
        response.ok, response.message = True, "switched"
        return response

    robot.create_service(SwitchController, "controller_manager/switch_controller", switch)
    client = user.create_client(SwitchController, "controller_manager/switch_controller")
    spin_until(client.service_is_ready)
    request = SwitchController.Request(
        activate_controllers=["cartesian_impedance_controller"],
        deactivate_controllers=["fr3_arm_controller"],
        strictness=SwitchController.Request.STRICT,
    )
    request.timeout.sec, request.timeout.nanosec = 2, 500_000_000
    future = client.call_async(request)
    spin_until(future.done)
    assert asked == [request]
    assert future.result() == SwitchController.Response(ok=True, message="switched")
