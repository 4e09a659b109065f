"""Messages of the re-declared types go through a real graph, from one participant to another, and arrive whole."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
import rclpy
from control_msgs.action import FollowJointTrajectory
from controller_manager_msgs.srv import SwitchController
from franka_msgs.action import Grasp
from franka_msgs.msg import FrankaRobotState
from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from rclpy.action import ActionClient, ActionServer
from rclpy.executors import SingleThreadedExecutor

from wire.filling import fill

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


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (MoveGroup, "moveit_msgs/action/MoveGroup"),
        (ExecuteTrajectory, "moveit_msgs/action/ExecuteTrajectory"),
        (FollowJointTrajectory, "control_msgs/action/FollowJointTrajectory"),
        (Grasp, "franka_msgs/action/Grasp"),
    ],
)
def test_an_action_is_asked_for_followed_and_answered(pair, kind, name):
    robot, user, spin_until = pair
    goal = fill(kind.Goal(), itertools.count(1))
    feedback = fill(kind.Feedback(), itertools.count(2))
    result = fill(kind.Result(), itertools.count(3))
    asked, followed = [], []

    def execute(handle):
        asked.append(handle.request)
        handle.publish_feedback(feedback)
        handle.succeed()
        return result

    server = ActionServer(robot, kind, "act", execute)
    client = ActionClient(user, kind, "act")
    spin_until(client.server_is_ready)
    accepted = client.send_goal_async(goal, feedback_callback=lambda message: followed.append(message.feedback))
    spin_until(accepted.done)
    answered = accepted.result().get_result_async()
    spin_until(lambda: answered.done() and followed)
    assert asked == [goal]
    assert followed == [feedback]
    assert answered.result().result == result
    (info,) = user.get_publishers_info_by_topic("act/_action/feedback")
    assert str(info.topic_type_hash) == GOLDEN[f"{name}_FeedbackMessage"]
    client.destroy()
    server.destroy()
