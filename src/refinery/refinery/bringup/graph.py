"""Who else is on the ROS graph: two of what there may be one of do not fail, they answer each other's requests."""

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
"""A new node has seen each of the others after this, [s]. Of 45 new nodes on two busy cores 33 saw another one within
0.5 s, the others after 1.5 to 3.6: the first handshake gets lost, and announcements are repeated every 3 s. What was
killed announces nothing: a new node never sees it, an old one does for 20 s."""
ANOTHER_S = 0.5
"""A new onlooker takes over after this, with a handshake of its own, [s]."""
_NAMED_S = 1.0
_UNKNOWN = "_NODE_NAME_UNKNOWN_"
_ACTION = "{}/_action/send_goal"
_POLL_S = 0.02


@contextmanager
def onlooker(name: str, domain: int | None = None) -> Iterator[Node]:
    """Put a node on the graph that only looks, in a context of its own.

    Args:
        name: Of the node.
        domain: ROS_DOMAIN_ID; the environment's if none is given.
    """
    context = Context()
    init_ros(context=context, domain_id=domain)
    node = rclpy.create_node(name, context=context, enable_rosout=False, start_parameter_services=False)
    try:
        yield node
    finally:
        # Only forgotten, it would stay on the graph until it is collected.
        node.destroy_node()
        rclpy.shutdown(context=context)


def seen_names(domain: int | None, wanted: Set[str], wait_s: float, more_s: float) -> list[str]:
    """Look which of some nodes are there, with one onlooker after the other.

    Args:
        domain: ROS_DOMAIN_ID; the environment's if none is given.
        wanted: Full names.
        wait_s: Look for this long, [s].
        more_s: Once one is seen, look for the others only for this long, [s].

    Returns:
        Those that were seen, sorted.
    """
    seen: set[str] = set()
    end = time.monotonic() + wait_s
    while seen != wanted and (now := time.monotonic()) < end:
        # One at a time: Fast DDS 2.14 may wait for ever when one of two participants of a process ends.
        with onlooker("refinery_onlooker", domain) as node:
            due = now + ANOTHER_S
            while seen != wanted and (now := time.monotonic()) < min(due, end):
                found = set(full_names(node)) & wanted
                if found and not seen:
                    end = min(end, now + more_s)
                seen |= found
                time.sleep(_POLL_S)
    return sorted(seen)


def settle(spin: Callable[[float], None], born_s: float, ended: Callable[[], bool], settled_s: float) -> None:
    """Spin until a node has seen the others.

    Args:
        spin: Spins the node's executor once, for at most so many [s].
        born_s: ``time.monotonic()`` when the node was made, [s].
        ended: Asked again and again; true ends the wait.
        settled_s: How old a node must be to have seen them, [s].
    """
    while not ended() and (left_s := born_s + settled_s - time.monotonic()) > 0:
        spin(min(left_s, 0.1))


def full_names(node: Node) -> list[str]:
    """Return the full names of all nodes, with a leading slash, as often as there are nodes of that name."""
    return [f"{space.rstrip('/')}/{name}" for name, space in node.get_node_names_and_namespaces()]


def find_rival(
    node: Node,
    *,
    services: Sequence[str] = (),
    actions: Sequence[str] = (),
    inputs: Sequence[str] = (),
    until_s: float = 0.0,
) -> str:
    """Look for another node that does what this one does, or for two sources of what it reads.

    Args:
        node: The node, with its servers.
        services: Services that it serves and nobody else may.
        actions: Actions likewise.
        inputs: Topics that only one node may publish.
        until_s: Look until ``time.monotonic()`` is this, [s]; once, if it is.

    Returns:
        A sentence that names who else there is, or an empty string.
    """
    while True:
        problem = _doubled_node(node) or _doubled_server(node, services, actions) or _doubled_input(node, inputs)
        if problem or time.monotonic() >= until_s:
            return problem
        time.sleep(_POLL_S)


def check_only_clock(node: Node) -> None:
    """Check that nobody else publishes ``/clock``, which a node publishes.

    Raises:
        NotReadyError: Somebody else does; the message says who.
    """
    topic = node.resolve_topic_name("/clock")
    if node.count_publishers(topic) > 1:
        # One publisher of this name is the node's own.
        others = Counter(_publishers(node, topic)) - Counter([node.get_fully_qualified_name()])
        who = _listed(list(others.elements()))
        raise NotReadyError(f"{topic}: expected nobody else who makes the time, got {who}; {_WAY_OUT}")


def elsewhere(node: Node, name: str, kind: str) -> str:
    """Return a sentence about services like one that is not there, in other namespaces; empty if there are none.

    Args:
        node: Looks.
        name: The service that is not there, as the node calls it.
        kind: Its type, as in ``refinery_msgs/srv/SampleInit``.
    """
    full = node.resolve_service_name(name)
    local = "/" + name.lstrip("/")
    found = [other.removesuffix(local) or "/" for other in served_elsewhere(node, full, kind)]
    return "; ".join(f"{space.rstrip('/')}{local} is there: --namespace {space}" for space in found)


def served_elsewhere(node: Node, name: str, kind: str) -> list[str]:
    """Return services of a type whose names end as this one's does, but are not this one.

    Args:
        node: Looks.
        name: Full name of the service that is not there.
        kind: Its type, as in ``refinery_msgs/srv/SampleInit``.
    """
    last = "/" + name.rpartition("/")[2]
    found: Mapping[str, list[str]] = dict(node.get_service_names_and_types())
    return sorted(other for other, kinds in found.items() if other != name and other.endswith(last) and kind in kinds)


_WAY_OUT = "end the other cell, or give one of them another ROS_DOMAIN_ID or namespace"


def _doubled_node(node: Node) -> str:
    ours = node.get_fully_qualified_name()
    if full_names(node).count(ours) > 1:
        return f"expected one node of this name, got another {ours}; {_WAY_OUT}"
    return ""


def _doubled_server(node: Node, services: Sequence[str], actions: Sequence[str]) -> str:
    kinds = {node.resolve_service_name(name): f"service {name}" for name in services}
    kinds |= {node.resolve_service_name(_ACTION.format(name)): f"action {name}" for name in actions}
    for full, what in kinds.items():
        if node.count_services(full) > 1:
            return f"{what}: expected no server but this node, got {_listed(_servers(node, full))}; {_WAY_OUT}"
    return ""


def _doubled_input(node: Node, topics: Sequence[str]) -> str:
    for topic in topics:
        full = node.resolve_topic_name(topic)
        if node.count_publishers(full) > 1:
            return f"{full}: expected one publisher, got {_listed(_publishers(node, full))}; {_WAY_OUT}"
    return ""


def _servers(node: Node, service: str) -> list[str]:
    """Return the other nodes that serve a service; whose a server is becomes known a little later than the server."""
    end = time.monotonic() + _NAMED_S
    while time.monotonic() < end:
        if names := _known_servers(node, service):
            return names
        if _doubled_node(node):
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
    """Return the full names of a topic's publishers; whose one is becomes known a little later than the publisher."""
    end = time.monotonic() + _NAMED_S
    while True:
        infos = node.get_publishers_info_by_topic(topic)
        names = [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos]
        if not any(_UNKNOWN in name for name in names) or time.monotonic() >= end:
            return names
        time.sleep(_POLL_S)


def _listed(names: Sequence[str]) -> str:
    """Return names as words, one that is there twice with how often."""
    counted = sorted(Counter(names).items())
    return " and ".join(name if times == 1 else f"{times} of {name}" for name, times in counted)
