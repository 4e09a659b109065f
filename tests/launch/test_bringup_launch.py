"""The launch file starts what ``refinery.bringup`` describes. The real ``launch`` evaluates it; nothing is started."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest
import yaml

from refinery.bringup import describe_bringup
from refinery.errors import ConfigError, NotReadyError
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing import tiny_bundle

FILE = Path(__file__).resolve().parents[2] / "launch" / "bringup_franka.launch.py"
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("launch_ros") is None,
    reason="launch and launch_ros are missing: the ROS wheels do not carry them, a sourced ROS 2 Jazzy does",
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", load_task(config_file("tasks", "peg_rect")))


@pytest.fixture(scope="module")
def launch_file():
    spec = importlib.util.spec_from_file_location("bringup_franka", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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
        "name": renamed.pop("__node"),
        "namespace": renamed.pop("__ns", "/").rstrip("/"),
        "remappings": renamed,
        "parameters": dict(itertools.chain.from_iterable(value.items() for value in values)),
        "lifecycle": type(node).__name__ == "LifecycleNode",
    }


@pytest.mark.parametrize("robot", ["twin", "fr3", "panda"])
@pytest.mark.parametrize("namespace", ["", "/cell"])
def test_the_launch_file_starts_what_is_described(launch_file, bundle, robot, namespace):
    nodes = evaluate(launch_file, robot=robot, bundle=bundle, namespace=namespace)
    wanted = [
        {
            "executable": (spec.package, spec.executable),
            "name": spec.name,
            "namespace": spec.namespace,
            "remappings": dict(spec.remappings),
            "parameters": dict(spec.parameters),
            "lifecycle": spec.lifecycle,
        }
        for spec in describe_bringup(robot, bundle=bundle, namespace=namespace)
    ]
    assert [described(node, context) for node, context in nodes] == wanted


def test_a_real_robot_without_its_driver_s_package_says_so(launch_file, bundle):
    with pytest.raises(NotReadyError, match="fr3 needs the package franka_bringup"):
        evaluate(launch_file, robot="fr3", bundle=bundle, robot_ip="172.16.0.2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"robot": "ur5"}, "fr3, panda, twin"),
        ({"robot": "panda", "robot_ip": "172.16.0.2"}, "the profile panda names no driver"),
        ({"robot": "twin", "robot_ip": "172.16.0.2"}, "the twin needs none"),
        ({"robot": "fr3", "use_fake_hardware": "yes"}, "true or false"),
    ],
)
def test_bad_words_are_refused(launch_file, bundle, arguments, message):
    with pytest.raises(ConfigError, match=message):
        evaluate(launch_file, bundle=bundle, **arguments)
