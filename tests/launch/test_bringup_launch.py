"""The launch file starts what ``refinery.bringup`` describes. The real ``launch`` evaluates it; nothing is started.

Packages that only a robot's machine has are stood in for by folders with the same names, and launch files in them that
declare the same arguments and write down what they are given.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
from functools import partial
from pathlib import Path

import pytest
import yaml
from domain_coordinator import domain_id

from refinery.bringup.description import describe_bringup
from refinery.bringup.drivers import describe_drivers
from refinery.bringup.running import check_not_running
from refinery.errors import ConfigError, NotReadyError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle

FILE = Path(__file__).resolve().parents[2] / "launch" / "bringup_franka.launch.py"
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("launch_ros") is None,
    reason="launch and launch_ros are missing: the ROS wheels do not carry them, a sourced ROS 2 Jazzy does",
)


IP = "172.16.0.2"
FR3_BRINGUP = [
    "robot_type",
    "arm_prefix",
    "namespace",
    "robot_ip",
    "load_gripper",
    "use_fake_hardware",
    "fake_sensor_commands",
    "joint_state_rate",
    "load_franka_robot_state_broadcaster",
    "controllers_yaml",
]
PANDA_BRINGUP = [
    "robot_ip",
    "arm_id",
    "use_rviz",
    "use_fake_hardware",
    "fake_sensor_commands",
    "load_gripper",
    "arm_prefix",
    "start_robot_state_publisher",
    "robot_description",
    "controllers_file",
]
MOVE_GROUP = ["robot_ip", "load_gripper", "use_fake_hardware", "fake_sensor_commands", "namespace", "arm_prefix"]
# What a launch file reads: franka_fr3_moveit_config's reads six arguments and declares another one.
STAND_IN = """
import json
from pathlib import Path
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

def note(context):
    given = {{name: LaunchConfiguration(name).perform(context) for name in {reads!r}}}
    Path(__file__).with_suffix(".json").write_text(json.dumps(given))

def generate_launch_description():
    declared = [DeclareLaunchArgument(name, default_value="default") for name in {declares!r}]
    return LaunchDescription([*declared, OpaqueFunction(function=note)])
"""


class Packages:
    """An ament prefix with packages that are not here."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        (prefix / "lib" / "controller_manager").mkdir(parents=True)
        spawner = prefix / "lib" / "controller_manager" / "spawner"
        spawner.touch(mode=0o755)
        self._register("controller_manager")

    def add(self, package: str, launch_file: str, reads: list[str], declares: list[str] | None = None) -> None:
        """Add a launch file that declares what it reads, if nothing else is said."""
        self._register(package)
        folder = self.prefix / "share" / package / "launch"
        folder.mkdir(parents=True, exist_ok=True)
        text = STAND_IN.format(reads=reads, declares=reads if declares is None else declares)
        (folder / launch_file).write_text(text)

    def given(self, package: str, launch_file: str) -> dict[str, str] | None:
        """Return what a launch file was given, or None if it was not included."""
        file = (self.prefix / "share" / package / "launch" / launch_file).with_suffix(".json")
        return json.loads(file.read_text()) if file.exists() else None

    def _register(self, package: str) -> None:
        index = self.prefix / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True, exist_ok=True)
        (index / package).touch()


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Packages:
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join([str(tmp_path), os.environ["AMENT_PREFIX_PATH"]]))
    return Packages(tmp_path)


@pytest.fixture(autouse=True, scope="module")
def graph():
    """A graph of our own: the launch file looks what runs on it."""
    with pytest.MonkeyPatch.context() as patch, domain_id() as number:
        patch.setenv("ROS_DOMAIN_ID", str(number))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        yield


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", load_task(config_file("tasks", "peg_rect")))


@pytest.fixture(scope="module")
def launch_file():
    spec = importlib.util.spec_from_file_location("bringup_franka", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Nothing runs here: look for it for a moment only.
    module.check_not_running = partial(check_not_running, wait_s=0.1)
    return module


def evaluate(launch_file, **arguments) -> list:
    """Visit the description as ``ros2 launch`` does, with these arguments, down to the nodes' actions."""
    from launch import LaunchContext
    from launch_ros.actions import Node

    context = LaunchContext()
    context.launch_configurations.update({name: str(value) for name, value in arguments.items()})
    pending = list(launch_file.generate_launch_description().entities)
    nodes = []
    while pending:
        entity = pending.pop(0)
        if isinstance(entity, Node):
            nodes.append((entity, context))
        else:
            pending = list(entity.visit(context) or []) + pending
    return nodes


def described(node, context) -> dict:
    """Read back what an action would start, from its own command line."""
    from launch.utilities import perform_substitutions

    node._perform_substitutions(context)
    # What Node.execute would put in before it starts the process.
    names = {"name": f"__node:={node.node_name.rpartition('/')[2]}", "ns": f"__ns:={node.expanded_node_namespace}"}
    context.extend_locals({"ros_specific_arguments": names})
    words = [perform_substitutions(context, word) for word in node.cmd]
    renamed = dict(words[i + 1].split(":=") for i, word in enumerate(words) if word == "-r")
    files = [words[i + 1] for i, word in enumerate(words) if word == "--params-file"]
    parameters = [yaml.safe_load(Path(file).read_text()) for file in files]
    values = [part["ros__parameters"] for file in parameters for part in file.values()]
    return {
        "executable": Path(words[0]).parts[-2:],
        "arguments": tuple(words[1 : words.index("--ros-args")]),
        "name": renamed.pop("__node"),
        "namespace": renamed.pop("__ns", "/").rstrip("/"),
        "remappings": renamed,
        "parameters": dict(itertools.chain.from_iterable(value.items() for value in values)),
        "lifecycle": type(node).__name__ == "LifecycleNode",
    }


def as_described(spec) -> dict:
    return {
        "executable": (spec.package, spec.executable),
        "arguments": tuple(spec.arguments),
        "name": spec.name,
        "namespace": spec.namespace,
        "remappings": dict(spec.remappings),
        "parameters": dict(spec.parameters),
        "lifecycle": spec.lifecycle,
    }


@pytest.mark.parametrize("robot", ["twin", "fr3", "panda"])
@pytest.mark.parametrize("namespace", ["", "/cell"])
def test_the_launch_file_starts_what_is_described(launch_file, bundle, robot, namespace):
    nodes = evaluate(launch_file, robot=robot, bundle=bundle, namespace=namespace)
    wanted = [as_described(spec) for spec in describe_bringup(robot, bundle=bundle, namespace=namespace)]
    assert [described(node, context) for node, context in nodes] == wanted


@pytest.mark.parametrize("namespace", ["", "/cell"])
def test_an_fr3_with_its_address_gets_driver_moveit_and_controllers_before_our_nodes(
    launch_file, bundle, packages, namespace
):
    packages.add("franka_bringup", "franka.launch.py", FR3_BRINGUP)
    packages.add("franka_fr3_moveit_config", "move_group.launch.py", MOVE_GROUP, declares=["db"])
    packages.add("franka_fr3_moveit_config", "moveit.launch.py", ["robot_ip"])
    nodes = evaluate(launch_file, robot="fr3", bundle=bundle, robot_ip=IP, namespace=namespace)
    driver = packages.given("franka_bringup", "franka.launch.py")
    assert driver["robot_ip"] == IP and driver["namespace"] == namespace
    assert (driver["robot_type"], driver["load_gripper"], driver["use_fake_hardware"]) == ("fr3", "true", "false")
    assert driver["controllers_yaml"] == "default"
    assert packages.given("franka_fr3_moveit_config", "move_group.launch.py") == {
        "robot_ip": IP,
        "load_gripper": "true",
        "use_fake_hardware": "false",
        "fake_sensor_commands": "false",
        "namespace": namespace,
        "arm_prefix": "",
    }
    # It would start a second controller manager on the arm.
    assert packages.given("franka_fr3_moveit_config", "moveit.launch.py") is None
    _, spawners = describe_drivers(load_robot_profile("fr3"), robot_ip=IP, namespace=namespace)
    wanted = [*spawners, *describe_bringup("fr3", bundle=bundle, namespace=namespace)]
    assert [described(node, context) for node, context in nodes] == [as_described(spec) for spec in wanted]


def test_mock_hardware_starts_none_of_our_nodes_and_needs_no_bundle(launch_file, packages):
    packages.add("franka_bringup", "franka.launch.py", FR3_BRINGUP)
    packages.add("franka_fr3_moveit_config", "move_group.launch.py", MOVE_GROUP, declares=["db"])
    nodes = evaluate(launch_file, robot="fr3", use_fake_hardware="true")
    assert packages.given("franka_bringup", "franka.launch.py")["use_fake_hardware"] == "true"
    assert packages.given("franka_fr3_moveit_config", "move_group.launch.py")["use_fake_hardware"] == "true"
    (spawner,) = [described(node, context) for node, context in nodes]
    assert spawner["executable"] == ("controller_manager", "spawner")
    assert spawner["arguments"][0] == "fr3_arm_controller"


def test_a_panda_with_its_address_gets_the_fork_with_our_controllers(launch_file, bundle, packages):
    packages.add("franka_bringup", "franka.launch.py", PANDA_BRINGUP)
    nodes = evaluate(launch_file, robot="panda", bundle=bundle, robot_ip=IP, moveit="false")
    driver = packages.given("franka_bringup", "franka.launch.py")
    assert (driver["robot_ip"], driver["arm_id"], driver["load_gripper"]) == (IP, "panda", "true")
    assert Path(driver["controllers_file"]) == config_file("controllers", "panda").resolve()
    names = [described(node, context)["name"] for node, context in nodes]
    assert names == ["spawner_state_broadcaster", "refinery_sampler", "refinery_policy"]


def test_a_panda_does_not_start_under_franka_ros2_nor_in_a_namespace_its_fork_ignores(launch_file, bundle, packages):
    packages.add("franka_bringup", "franka.launch.py", FR3_BRINGUP)
    with pytest.raises(ConfigError, match=r"a launch file with the argument arm_id.*another version of the package"):
        evaluate(launch_file, robot="panda", bundle=bundle, robot_ip=IP, moveit="false")
    packages.add("franka_bringup", "franka.launch.py", PANDA_BRINGUP)
    with pytest.raises(ConfigError, match="a launch file with the argument namespace"):
        evaluate(launch_file, robot="panda", bundle=bundle, robot_ip=IP, moveit="false", namespace="/cell")
    assert packages.given("franka_bringup", "franka.launch.py") is None


def test_moveit_can_be_started_beside_a_driver_that_runs(launch_file, bundle, packages):
    packages.add("franka_fr3_moveit_config", "move_group.launch.py", MOVE_GROUP, declares=["db"])
    evaluate(launch_file, robot="fr3", bundle=bundle)
    assert packages.given("franka_fr3_moveit_config", "move_group.launch.py") is None
    evaluate(launch_file, robot="fr3", bundle=bundle, moveit="true")
    assert packages.given("franka_fr3_moveit_config", "move_group.launch.py")["robot_ip"] == "none"


def test_a_driver_that_runs_is_not_started_again(launch_file, bundle, packages):
    import rclpy
    from rclpy.context import Context

    packages.add("franka_bringup", "franka.launch.py", FR3_BRINGUP)
    packages.add("franka_fr3_moveit_config", "move_group.launch.py", MOVE_GROUP, declares=["db"])
    short = launch_file.check_not_running
    launch_file.check_not_running = partial(check_not_running, wait_s=30.0)
    context = Context()
    rclpy.init(context=context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
    running = rclpy.create_node("controller_manager", context=context)
    try:
        with pytest.raises(NotReadyError, match=r"/controller_manager runs already.*leave robot_ip empty"):
            evaluate(launch_file, robot="fr3", bundle=bundle, robot_ip=IP)
        assert packages.given("franka_bringup", "franka.launch.py") is None
    finally:
        running.destroy_node()
        rclpy.shutdown(context=context)
        launch_file.check_not_running = short


@pytest.mark.skipif(
    importlib.util.find_spec("moveit_configs_utils") is None,
    reason="moveit_configs_utils is missing: the ROS wheels do not carry it, an installed MoveIt does",
)
def test_a_panda_s_move_group_knows_the_tool_and_executes_through_the_fork_s_controller(launch_file):
    spec = importlib.util.spec_from_file_location("move_group_panda", FILE.with_name("move_group_panda.launch.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    nodes = [node for node, _ in evaluate(module, namespace="/cell")]
    assert [node.node_package for node in nodes] == ["moveit_ros_move_group", "tf2_ros"]
    profile = load_robot_profile("panda")
    text = json.dumps(parameters_of(nodes[0]))
    assert f'link name=\\"{profile.moveit.tip_link}\\"' in text
    assert f'group name=\\"{profile.moveit.group}\\"' in text
    for name in (profile.trajectory_controller, profile.moveit.pipeline_id, profile.moveit.planner_id):
        assert name in text
    for link in profile.moveit.touch_links:
        assert f'link name=\\"{link}\\"' in text


def parameters_of(node) -> list:
    """Return the parameters of a launch_ros action as plain values."""
    from launch import LaunchContext
    from launch_ros.utilities import evaluate_parameters

    return evaluate_parameters(LaunchContext(), node._Node__parameters)


def test_a_real_robot_without_its_driver_s_package_says_so(launch_file, bundle):
    with pytest.raises(NotReadyError, match=r"fr3\.yaml needs the package franka_bringup"):
        evaluate(launch_file, robot="fr3", bundle=bundle, robot_ip=IP)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"robot": "ur5"}, "fr3, panda, twin"),
        ({"robot": "panda", "use_fake_hardware": "true"}, "panda has no mock hardware that loads"),
        ({"robot": "twin", "robot_ip": IP}, "the twin needs none"),
        ({"robot": "twin", "moveit": "true"}, "twin names no launch file"),
        ({"robot": "fr3", "use_fake_hardware": "yes"}, "true or false"),
        ({"robot": "fr3", "moveit": "yes"}, "true or false or auto"),
    ],
)
def test_bad_words_are_refused(launch_file, bundle, arguments, message):
    with pytest.raises(ConfigError, match=message):
        evaluate(launch_file, bundle=bundle, **arguments)
