"""Checks before activation: publishers, matching quality of service, messages, no second source of targets."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSCompatibility, qos_check_compatible

from refinery.tick.guard import GuardDecision, Level, Reason
from refinery_policy_node.topics import RobotTopics
from refinery_ros.polled_subscription import PolledSubscription

_POLL_S = 0.02
OK = GuardDecision()


def check_interface(node: LifecycleNode, topics: RobotTopics, timeout_s: float) -> GuardDecision:
    """Check the robot interface before activation.

    Args:
        node: The node.
        topics: Its topics.
        timeout_s: Longest wait for each missing item, [s].

    Returns:
        OK, or what is missing, by name.
    """
    for latest in topics.inputs_read:
        decision = _check_input(node, latest, timeout_s)
        if decision.level is not Level.OK:
            return decision
    decision = OK if topics.shadow else _check_listener(node, topics.target_topic, timeout_s)
    return decision if decision.level is not Level.OK else check_only_publisher(node, topics.target_topic)


def check_only_publisher(node: LifecycleNode, topic: str) -> GuardDecision:
    """Check that no other node commands the arm: the controller would follow both targets alternately."""
    names = [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in node.get_publishers_info_by_topic(topic)]
    ours = node.get_fully_qualified_name()
    others = [name for name in names if name != ours]
    if len(names) - len(others) > 1:
        others.append(f"a second {ours}")
    if others:
        found = ", ".join(sorted(others))
        return _refuse(Reason.SECOND_PUBLISHER, f"{topic}: expected no publisher but this node, got {found}; stop it")
    return OK


def _check_input(node: LifecycleNode, latest: PolledSubscription, timeout_s: float) -> GuardDecision:
    """Check that the topic is published with a matching quality of service and that a message arrives."""
    expected = f"no message on {latest.name} within {timeout_s:.1f} s"
    if not _wait(lambda: node.count_publishers(latest.name) > 0, timeout_s):
        question = f"is the {latest.source} running?"
        return _refuse(Reason.TOPIC_MISSING, f"{expected}: it has no publisher; {question}")
    for info in node.get_publishers_info_by_topic(latest.name):
        fit, why = qos_check_compatible(info.qos_profile, latest.qos)
        if fit == QoSCompatibility.ERROR:
            return _refuse(
                Reason.QOS_INCOMPATIBLE,
                f"{latest.name}: expected a {latest.qos.reliability.name} publisher, got "
                f"{info.qos_profile.reliability.name} from {info.node_name} ({why.strip()})",
            )
    latest.poll()
    before = latest.received
    if not _wait(lambda: latest.poll() is not None and latest.received > before, timeout_s):
        return _refuse(Reason.TOPIC_MISSING, f"{expected}; is the {latest.source} running?")
    return OK


def _check_listener(node: LifecycleNode, topic: str, timeout_s: float) -> GuardDecision:
    if _wait(lambda: node.count_subscribers(topic) > 0, timeout_s):
        return OK
    return _refuse(
        Reason.TOPIC_MISSING,
        f"{topic} has no subscriber after {timeout_s:.1f} s; is the impedance controller configured?",
    )


def _wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for the discovery of the graph, which runs in the background."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(_POLL_S)
    return True


def _refuse(reason: Reason, message: str) -> GuardDecision:
    return GuardDecision(level=Level.STOP, reason=reason, message=message)
