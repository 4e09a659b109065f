"""The server of the round trips: a process that answers a state with a target, or an empty request.

``python -m experiments.bench.echo_server KIND`` with one of :data:`KINDS`; it ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import rclpy
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Empty

from experiments.bench.interleaved import no_garbage_collection
from refinery.bringup.ros_start import init_ros
from refinery.bundle import load_bundle
from refinery.errors import RefineryError
from refinery.robot_profile import load_robot_profile
from refinery.tick.guard import GuardSettings, Level
from refinery.tick.runtime import PolicyRuntime
from refinery_policy_node.topics import RobotTopics
from refinery_ros.qos import topic_qos

PROFILE = "fr3"
"""Its topics are used (under the server's namespace), with the real clock."""
_SPIN_S = 0.1


def echo(node: LifecycleNode, _bundle: str) -> None:
    """Return every measured pose as the target: the minimum for a node that reads these messages."""
    topics = load_robot_profile(PROFILE).topics
    target = node.create_publisher(PoseStamped, topics.target_pose.name, topic_qos(topics.target_pose))
    for topic, kind in ((topics.wrench, WrenchStamped), (topics.socket_pose, PoseStamped)):
        node.create_subscription(kind, topic.name, lambda message: None, topic_qos(topic))
    node.create_subscription(PoseStamped, topics.pose.name, target.publish, topic_qos(topics.pose))


def policy(node: LifecycleNode, bundle: str) -> None:
    """Run a whole tick of a bundle's policy for every measured pose, through the node's own topics and runtime.

    The node ticks by a timer; here the arrival of a pose takes the timer's place, so that the measured time is from the
    state to the target and does not depend on the phase of a clock.
    """
    profile = load_robot_profile(PROFILE)
    loaded = load_bundle(Path(bundle))
    # The client may pause between two rounds; the age limits are not measured here.
    lenient = GuardSettings.for_task(
        loaded.task, hold_age_s=60.0, stop_age_s=60.0, estimate_age_s=60.0, deadline_s=60.0
    )
    runtime, topics = PolicyRuntime(loaded, lenient), RobotTopics(node, profile)
    topics.read_ahead(True)
    started = False

    def on_pose(raw: bytes) -> None:
        nonlocal started
        inputs = topics.inputs()
        if inputs is None:
            return
        if not started:
            decision = runtime.start(inputs)
            if decision.level is not Level.OK:
                raise RefineryError(f"bench: expected an accepted start, got: {decision.message}")
            started = True
        result = runtime.tick(inputs)
        if result.decision.level is not Level.OK:
            raise RefineryError(f"bench: expected undisturbed ticks, got: {result.decision.message}")
        topics.publish_target(result.target)

    # Wakes the executor only: the message itself is taken by the node's own subscription.
    node.create_subscription(PoseStamped, profile.topics.pose.name, on_pose, topic_qos(profile.topics.pose), raw=True)


def empty(node: LifecycleNode, _bundle: str) -> None:
    """Serve a service that does nothing."""
    node.create_service(Empty, "empty", lambda request, response: response)


KINDS: dict[str, Callable[[LifecycleNode, str], None]] = {"echo": echo, "policy": policy, "empty": empty}
"""Kinds of server."""


def main(args: list[str]) -> NoReturn:
    """Run a server until it is told to end; ``args`` are KIND and, for a policy, the path of its bundle."""
    kind, bundle = args[0], args[1] if len(args) > 1 else ""
    init_ros(args=[], signal_handler_options=SignalHandlerOptions.NO)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    node = LifecycleNode(f"bench_{kind}", namespace=f"bench/{kind}")
    KINDS[kind](node, bundle)
    node.trigger_configure()
    node.trigger_activate()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        with no_garbage_collection():
            while True:
                # The policy is spun as the node spins it, the others with the least overhead.
                executor.spin_once(timeout_sec=_SPIN_S if kind == "policy" else None)
    finally:
        executor.shutdown(timeout_sec=_SPIN_S)
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
