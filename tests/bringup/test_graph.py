"""On a real graph of its own: duplicate nodes, servers and publishers are found and named."""

import time

import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionServer
from rclpy.context import Context
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from refinery.bringup.graph import (
    check_only_clock,
    find_duplicate,
    full_names,
    observer_node,
    seen_names,
    served_elsewhere,
)
from refinery.errors import NotReadyError
from refinery_msgs.action import Insert
from refinery_ros.testing.graph import own_domain

pytestmark = pytest.mark.ros
LONG_S = 20.0
"""Patience where something is there to be seen; only a failure takes this long."""
SHORT_S = 0.3


@pytest.fixture(scope="module", autouse=True)
def graph():
    with own_domain():
        yield


@pytest.fixture
def node_of():
    """Make nodes, each in a context of its own, as processes have them."""
    nodes = []

    def make(name, namespace=""):
        context = Context()
        rclpy.init(context=context)
        nodes.append(rclpy.create_node(name, namespace=namespace, context=context))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
        rclpy.shutdown(context=node.context)


def answer(_request, response):
    return response


def test_a_node_alone_has_no_duplicate(node_of):
    node = node_of("sampler")
    node.create_service(Trigger, "ask", answer)
    node.create_publisher(PoseStamped, "socket_pose", 1)
    assert (
        find_duplicate(
            node, services=("ask",), actions=("go",), inputs=("socket_pose",), until_s=time.monotonic() + SHORT_S
        )
        is None
    )


def test_another_node_of_the_same_name_and_namespace_is_a_duplicate(node_of):
    left, _ = node_of("sampler", "/left"), node_of("sampler", "/right")
    assert find_duplicate(left, until_s=time.monotonic() + SHORT_S) is None
    node_of("sampler", "/left")
    assert "/left/sampler" in find_duplicate(left, until_s=time.monotonic() + LONG_S)


def test_another_server_of_a_service_or_an_action_is_named(node_of):
    node, other = node_of("sampler"), node_of("somebody")
    for each in (node, other):
        each.create_service(Trigger, "ask", answer)
    problem = find_duplicate(node, services=("ask",), until_s=time.monotonic() + LONG_S)
    assert "service ask" in problem and "/somebody" in problem and "/sampler" not in problem
    servers = [ActionServer(each, Insert, "insert", lambda handle: None) for each in (node, other)]
    problem = find_duplicate(node, actions=("insert",), until_s=time.monotonic() + LONG_S)
    assert "action insert" in problem and "/somebody" in problem
    for server in servers:
        server.destroy()
    # Of something else it is the only server.
    assert find_duplicate(node, services=("other",), until_s=time.monotonic() + SHORT_S) is None


def test_two_sources_of_an_input_are_named(node_of):
    node = node_of("policy")
    one, two = node_of("camera_1"), node_of("camera_2")
    one.create_publisher(PoseStamped, "socket_pose", 1)
    assert find_duplicate(node, inputs=("socket_pose",), until_s=time.monotonic() + 1.0) is None
    two.create_publisher(PoseStamped, "socket_pose", 1)
    problem = find_duplicate(node, inputs=("socket_pose",), until_s=time.monotonic() + LONG_S)
    assert "/socket_pose" in problem and "/camera_1" in problem and "/camera_2" in problem


def test_two_clocks_are_refused(node_of):
    node, other = node_of("twin"), node_of("other_twin")
    node.create_publisher(Clock, "/clock", 1)
    check_only_clock(node)
    other.create_publisher(Clock, "/clock", 1)
    end = time.monotonic() + LONG_S
    while node.count_publishers("/clock") < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    with pytest.raises(NotReadyError, match=r"/clock: expected no other publisher of the time, got /other_twin;"):
        check_only_clock(node)


def test_an_observer_discovers_names_and_services_elsewhere(node_of):
    node_of("sampler", "/left").create_service(Trigger, "sample_init", answer)
    with observer_node("observer") as node:
        end = time.monotonic() + LONG_S
        while "/left/sampler" not in full_names(node) or not served_elsewhere(
            node, "/sample_init", "std_srvs/srv/Trigger"
        ):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert served_elsewhere(node, "/sample_init", "std_srvs/srv/Trigger") == ["/left/sample_init"]
        assert served_elsewhere(node, "/left/sample_init", "std_srvs/srv/Trigger") == []
        assert served_elsewhere(node, "/sample_init", "std_srvs/srv/Empty") == []


def test_an_observer_leaves_the_graph(node_of):
    node = node_of("watcher")

    def there():
        return any(name.startswith("/refinery_graph_observer") for name in full_names(node))

    assert seen_names(None, {"/nobody"}, 1.0, 0.1) == []
    end = time.monotonic() + LONG_S
    while there():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert seen_names(None, {"/watcher", "/nobody"}, LONG_S, 0.1) == ["/watcher"]
