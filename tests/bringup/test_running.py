"""On a real graph of its own: what runs already is seen, and not started a second time."""

import os

import pytest
import rclpy
from domain_coordinator import domain_id
from rclpy.context import Context

from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.running import check_not_running
from refinery.errors import ConfigError, NotReadyError
from refinery_ros.testing.graph import own_domain

pytestmark = pytest.mark.ros
DRIVER = IncludeSpec(
    package="franka_bringup", launch_file="franka.launch.py", arguments={}, starts="controller_manager"
)
MOVEIT = IncludeSpec(package="config", launch_file="move_group.launch.py", arguments={}, starts="move_group")


@pytest.fixture(scope="module", autouse=True)
def graph():
    with own_domain():
        yield


@pytest.fixture
def run(graph):
    """Put nodes on the graph until the test ends."""
    context = Context()
    rclpy.init(context=context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    nodes = []
    yield lambda name, namespace="": nodes.append(rclpy.create_node(name, namespace=namespace, context=context))
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def test_on_an_empty_graph_everything_may_start():
    check_not_running([DRIVER, MOVEIT], "", wait_s=0.3)
    check_not_running([], "", wait_s=60.0)


@pytest.mark.parametrize(("include", "way_out"), [(DRIVER, "leave robot_ip empty"), (MOVEIT, "moveit:=false")])
def test_a_second_one_is_refused_with_the_way_out(run, include, way_out):
    run(include.starts)
    with pytest.raises(NotReadyError, match=f"/{include.starts} runs already, and {include.launch_file}.*{way_out}"):
        check_not_running([DRIVER, MOVEIT], "", wait_s=20.0)


def test_another_arm_s_is_another_namespace_s(run):
    run("controller_manager", "/left")
    with pytest.raises(NotReadyError, match="/left/controller_manager runs already"):
        check_not_running([DRIVER], "/left", wait_s=20.0)
    check_not_running([DRIVER], "/right", wait_s=0.3)
    check_not_running([DRIVER], "", wait_s=0.3)
    with pytest.raises(ConfigError, match="leading slash"):
        check_not_running([DRIVER], "left")


def cell(namespace=""):
    return [
        NodeSpec(package="p", executable="e", name=name, namespace=namespace)
        for name in ("refinery_twin", "refinery_policy")
    ]


def test_a_second_cell_of_ours_is_refused_with_all_names_that_are_there(run):
    check_not_running([], "", nodes=cell())
    for name in ("refinery_twin", "refinery_policy", "refinery_sampler"):
        run(name)
    with pytest.raises(NotReadyError, match=r"^/refinery_policy, /refinery_twin run already on domain"):
        check_not_running([], "", nodes=cell(), domain=int(os.environ["ROS_DOMAIN_ID"]), wait_s=20.0)
    # Drivers are looked for as well, and what is said of them comes first.
    run("controller_manager")
    with pytest.raises(NotReadyError, match="/controller_manager runs already"):
        check_not_running([DRIVER], "", nodes=cell(), wait_s=20.0)


def test_a_cell_beside_another_one_needs_another_namespace_or_domain(run):
    run("refinery_twin")
    check_not_running([], "", nodes=cell("/left"), wait_s=0.5)
    with domain_id() as other:
        check_not_running([], "", nodes=cell(), domain=int(other), wait_s=0.5)
    run("refinery_twin", "/left")
    with pytest.raises(NotReadyError, match=r"^/left/refinery_twin runs already"):
        check_not_running([], "", nodes=cell("/left"), wait_s=20.0)


def test_what_need_not_stay_may_be_there_twice(run):
    run("spawner_x")
    spawner = NodeSpec(package="p", executable="spawner", name="spawner_x", required=False)
    check_not_running([], "", nodes=[spawner], wait_s=0.5)
