"""Duplicates on the ROS graph: two nodes of one name, two servers of one service or two sources of one input.

ROS reports none of these; two cells in one domain silently answer each other's requests.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node

from refinery.bringup.ros_start import init_ros
from refinery.errors import NotReadyError

SETTLED_S = 4.0
"""A new node has discovered all others after this, [s]. Of 45 new nodes on two busy cores 33 discovered another one
within 0.5 s, the others after 1.5 to 3.6 s: the first handshake gets lost, and announcements are repeated every 3 s. A
killed process announces nothing: a new node never discovers it, an old one keeps it for 20 s."""
OBSERVER_S = 0.5
"""An observer is replaced by a new one, with a handshake of its own, after this, [s]."""
_NAMED_S = 1.0
_UNKNOWN = "_NODE_NAME_UNKNOWN_"
_ACTION = "{}/_action/send_goal"
_POLL_S = 0.02


@contextmanager
def observer_node(name: str, domain: int | None = None) -> Iterator[Node]:
    """Put a node on the graph that only observes it, in a context of its own.

    Args:
        name: Node name.
        domain: ROS_DOMAIN_ID; the environment's if none is given.
    """
    context = Context()
    init_ros(context=context, domain_id=domain)
    node = rclpy.create_node(name, context=context, enable_rosout=False, start_parameter_services=False)
    try:
        yield node
    finally:
        # Without this it stays on the graph until it is garbage-collected.
        node.destroy_node()
        rclpy.shutdown(context=context)


def seen_names(domain: int | None, wanted: Set[str], wait_s: float, more_s: float) -> list[str]:
    """Find out which of some nodes are on the graph, with one observer after the other.

    Args:
        domain: ROS_DOMAIN_ID; the environment's if none is given.
        wanted: Full names.
        wait_s: Longest time for the first one, [s].
        more_s: Longest time for the others after the first one was discovered, [s].

    Returns:
        Those that were discovered, sorted.
    """
    seen: set[str] = set()
    end = time.monotonic() + wait_s
    while seen != wanted and (now := time.monotonic()) < end:
        # One at a time: Fast DDS 2.14 may wait for ever when one of two participants of a process ends.
        with observer_node("refinery_graph_observer", domain) as node:
            due = now + OBSERVER_S
            while seen != wanted and (now := time.monotonic()) < min(due, end):
                found = set(full_names(node)) & wanted
                if found and not seen:
                    end = min(end, now + more_s)
                seen |= found
                time.sleep(_POLL_S)
    return sorted(seen)


def settle(spin: Callable[[float], None], created_s: float, ended: Callable[[], bool], settled_s: float) -> None:
    """Spin until a node has had the time to discover the others.

    Args:
        spin: Spins the node's executor once, for at most this time [s].
        created_s: ``time.monotonic()`` when the node was made, [s].
        ended: Polled; true ends the wait.
        settled_s: Age of a node that has discovered the others, [s].
    """
    while not ended() and (left_s := created_s + settled_s - time.monotonic()) > 0:
        spin(min(left_s, 0.1))


def full_names(node: Node) -> list[str]:
    """Return the full names of all nodes, with a leading slash; a name occurs once for each node that has it."""
    return [f"{space.rstrip('/')}/{name}" for name, space in node.get_node_names_and_namespaces()]


def find_duplicate(
    node: Node,
    *,
    services: Sequence[str] = (),
    actions: Sequence[str] = (),
    inputs: Sequence[str] = (),
    until_s: float = 0.0,
) -> str | None:
    """Look for another node that does what this one does, or for two sources of what it reads.

    Args:
        node: The node, with its servers.
        services: Services that it must be the only one to serve.
        actions: Actions likewise.
        inputs: Topics that only one node may publish.
        until_s: Repeat the search until ``time.monotonic()`` reaches this, [s]; a time in the past is one search.

    Returns:
        A sentence that names the duplicates, or None if there are none.
    """
    while True:
        problem = _duplicate_node(node) or _duplicate_server(node, services, actions) or _duplicate_input(node, inputs)
        if problem is not None or time.monotonic() >= until_s:
            return problem
        time.sleep(_POLL_S)


def check_only_clock(node: Node) -> None:
    """Check that a node that publishes ``/clock`` is the only one to do so.

    Raises:
        NotReadyError: Another node publishes it too; the message names it.
    """
    topic = node.resolve_topic_name("/clock")
    if node.count_publishers(topic) > 1:
        # One publisher of this name is the node's own.
        others = Counter(_publishers(node, topic)) - Counter([node.get_fully_qualified_name()])
        who = _listed(list(others.elements()))
        raise NotReadyError(f"{topic}: expected no other publisher of the time, got {who}; {_REMEDY}")


def namespace_hint(node: Node, name: str, kind: str) -> str:
    """Return a hint that a missing service exists in another namespace; empty if it exists in none.

    Args:
        node: The node that needs it.
        name: The missing service, as the node calls it.
        kind: Its type, as in ``refinery_msgs/srv/SampleInit``.
    """
    full = node.resolve_service_name(name)
    local = "/" + name.lstrip("/")
    found = [other.removesuffix(local) or "/" for other in served_elsewhere(node, full, kind)]
    return "; ".join(f"{space.rstrip('/')}{local} is there: --namespace {space}" for space in found)


def served_elsewhere(node: Node, name: str, kind: str) -> list[str]:
    """Return the services of a type that have the same last name in other namespaces.

    Args:
        node: The node that needs it.
        name: Full name of the missing service.
        kind: Its type, as in ``refinery_msgs/srv/SampleInit``.
    """
    last = "/" + name.rpartition("/")[2]
    found: Mapping[str, list[str]] = dict(node.get_service_names_and_types())
    return sorted(other for other, kinds in found.items() if other != name and other.endswith(last) and kind in kinds)


_REMEDY = "end the other cell, or give one of them another ROS_DOMAIN_ID or namespace"


def _duplicate_node(node: Node) -> str | None:
    ours = node.get_fully_qualified_name()
    if full_names(node).count(ours) > 1:
        return f"expected one node of this name, got another {ours}; {_REMEDY}"
    return None


def _duplicate_server(node: Node, services: Sequence[str], actions: Sequence[str]) -> str | None:
    kinds = {node.resolve_service_name(name): f"service {name}" for name in services}
    kinds |= {node.resolve_service_name(_ACTION.format(name)): f"action {name}" for name in actions}
    for full, what in kinds.items():
        if node.count_services(full) > 1:
            return f"{what}: expected no server but this node, got {_listed(_servers(node, full))}; {_REMEDY}"
    return None


def _duplicate_input(node: Node, topics: Sequence[str]) -> str | None:
    for topic in topics:
        full = node.resolve_topic_name(topic)
        if node.count_publishers(full) > 1:
            return f"{full}: expected one publisher, got {_listed(_publishers(node, full))}; {_REMEDY}"
    return None


def _servers(node: Node, service: str) -> list[str]:
    """Return the other nodes that serve a service; a server is discovered a little before the name of its node."""
    end = time.monotonic() + _NAMED_S
    while time.monotonic() < end:
        if names := _known_servers(node, service):
            return names
        if _duplicate_node(node):
            return [f"another {node.get_fully_qualified_name()}"]
        time.sleep(_POLL_S)
    return ["a second one"]


def _known_servers(node: Node, service: str) -> list[str]:
    found = []
    for name, space in node.get_node_names_and_namespaces():
        try:
            served = node.get_service_names_and_types_by_node(name, space)
        except (RuntimeError, InvalidHandle):
            continue
        if service in dict(served):
            found.append(f"{space.rstrip('/')}/{name}")
    return [name for name in found if name != node.get_fully_qualified_name()]


def _publishers(node: Node, topic: str) -> list[str]:
    """Return the full names of a topic's publishers; one is discovered a little before the name of its node."""
    end = time.monotonic() + _NAMED_S
    while True:
        infos = node.get_publishers_info_by_topic(topic)
        names = [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos]
        if not any(_UNKNOWN in name for name in names) or time.monotonic() >= end:
            return names
        time.sleep(_POLL_S)


def _listed(names: Sequence[str]) -> str:
    """Return names as one phrase, repeated ones with their count."""
    counted = sorted(Counter(names).items())
    return " and ".join(name if times == 1 else f"{times} of {name}" for name, times in counted)
