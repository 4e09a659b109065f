"""State in, target out, through ROS: round trips of the policy and of a bare rclpy echo of the same messages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher

from experiments.bench.echo_server import PROFILE
from experiments.bench.interleaved import Durations, Prepare, Step, interleave
from experiments.bench.processes import running, wait_for
from experiments.bench.still_cell import StillCell
from refinery.robot_interface import TopicSpec
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.task import Task
from refinery_ros.conversions import pose_stamped_message
from refinery_ros.qos import topic_qos

_ROBOT_STATE_S = 0.02
_LOST_S = 1.0


class Robot:
    """A robot that publishes its state to one server and waits for the target.

    Args:
        node: Carries publishers and the subscription.
        executor: Spins the node.
        profile: Names of topics and frames.
        namespace: Of the server.
        task: Gives the poses of arm and socket.
    """

    def __init__(
        self, node: Node, executor: SingleThreadedExecutor, profile: RobotProfile, namespace: str, task: Task
    ) -> None:
        self._node, self._executor, self._frame = node, executor, profile.base_frame
        cell, topics = StillCell(task), profile.topics
        stamp = node.get_clock().now().to_msg()
        self._pose = pose_stamped_message(cell.tool, self._frame, stamp)
        self._socket = pose_stamped_message(cell.socket, self._frame, stamp)
        self._wrench = WrenchStamped()
        self._state = FrankaRobotState(robot_mode=FrankaRobotState.ROBOT_MODE_MOVE)
        self._state_s = 0.0
        self._answers = 0

        def publisher(topic: TopicSpec, kind: type[Any]) -> Publisher:
            return node.create_publisher(kind, f"/{namespace}/{topic.name}", topic_qos(topic))

        self._pose_out = publisher(topics.pose, PoseStamped)
        self._wrench_out = publisher(topics.wrench, WrenchStamped)
        self._socket_out = publisher(topics.socket_pose, PoseStamped)
        self._state_out = publisher(topics.robot_state, FrankaRobotState)
        name = f"/{namespace}/{topics.target_pose.name}"
        node.create_subscription(PoseStamped, name, self._on_target, topic_qos(topics.target_pose))

    def prepare(self) -> Step:
        """Stamp the messages; publish the large one, which no tick waits for, as often as a tick may see a new one."""
        stamp = self._node.get_clock().now().to_msg()
        for message in (self._pose, self._socket, self._wrench, self._state):
            message.header.stamp, message.header.frame_id = stamp, self._frame
        if time.monotonic() - self._state_s > _ROBOT_STATE_S:
            self._state_s = time.monotonic()
            self._state_out.publish(self._state)
        return self.ask

    def ask(self) -> None:
        """Publish the state and wait for the answer; ask again if it was lost (poses travel best effort)."""
        before = self._answers
        self._wrench_out.publish(self._wrench)
        self._socket_out.publish(self._socket)
        self._pose_out.publish(self._pose)
        end_s = time.monotonic() + _LOST_S
        while self._answers == before:
            self._executor.spin_once(timeout_sec=_LOST_S)
            if time.monotonic() > end_s:
                self._pose_out.publish(self._pose)
                end_s = time.monotonic() + _LOST_S

    def answers(self) -> bool:
        """Send one state without a retry, and return whether the server answered."""
        before = self._answers
        self.prepare()
        self._wrench_out.publish(self._wrench)
        self._socket_out.publish(self._socket)
        self._pose_out.publish(self._pose)
        self._executor.spin_once(timeout_sec=0.05)
        return self._answers > before

    def _on_target(self, message: PoseStamped) -> None:
        self._answers += 1


def measure(task: Task, bundle: Path, *, rounds: int) -> dict[str, Durations]:
    """Time round trips to an echo (``echo``) and to the policy (``policy``), each in a process of its own.

    Args:
        task: Of the bundle.
        bundle: The policy's.
        rounds: Round trips to each.
    """
    profile = load_robot_profile(PROFILE)
    node, executor = Node("bench_robot"), SingleThreadedExecutor()
    executor.add_node(node)
    try:
        robots = {kind: Robot(node, executor, profile, f"bench/{kind}", task) for kind in ("echo", "policy")}
        module = "experiments.bench.echo_server"
        with running(module, ["echo"]) as first, running(module, ["policy", str(bundle)]) as second:
            for kind, robot in robots.items():
                wait_for(robot.answers, f"an answer of the {kind}", [first, second])
            candidates: dict[str, Prepare] = {kind: robot.prepare for kind, robot in robots.items()}
            return interleave(candidates, rounds=rounds)
    finally:
        executor.shutdown()
        node.destroy_node()
