"""Exactly requirements/robot.txt, installed offline into a fresh environment (``make robot-pc``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from layering.sources import ROOT
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle

PROGRAM = ROOT / "tests" / "layering" / "robot_computer.py"
PACKAGES = ("refinery", "refinery_ros", "refinery_policy_node", "refinery_sampler_node")
REQUIREMENTS = ("-c", "requirements/constraints.txt", "-r", "requirements/robot.txt")
PATIENCE_S = 1200
ROS = ("ament_", "lark", "rcl", "rmw", "ros_", "rosidl_", "rpyutils", "tracetools")
MESSAGES = ("_interfaces", "_msgs", "_srvs")
"""What of this environment is ROS itself, where it is installed as wheels: a system's lies in its own prefix."""

pytestmark = pytest.mark.timeout(3 * PATIENCE_S)


def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def robot_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the requirements and nothing else, from a folder of downloaded wheels."""
    folder = tmp_path_factory.mktemp("robot")
    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "download", "-q", *REQUIREMENTS, "-d", folder / "wheels")
    run(python, "-m", "pip", "install", "-q", "--no-index", "--find-links", folder / "wheels", *REQUIREMENTS)
    return python


def with_ros() -> dict[str, str]:
    """The environment of a sourced ROS 2 and our packages, without the libraries that lie beside them here."""
    messages = [path for path in map(Path, sys.path) if (ROOT / "install") in path.parents]
    ours = [str(ROOT / "src" / package) for package in PACKAGES]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([*ours, *map(str, messages), str(PROGRAM.parent.parent)]),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF",
    }


def test_it_has_what_robot_txt_brings_in_and_no_simulator(robot_python: Path) -> None:
    listed = json.loads(run(robot_python, "-m", "pip", "list", "--format", "json").stdout)
    names = {entry["name"].lower() for entry in listed} - {"pip", "setuptools", "wheel"}
    assert {"numpy", "scipy", "pyyaml", "onnx", "onnxruntime", "protobuf", "tyro"} <= names
    assert not names & {"torch", "mujoco", "shapely", "matplotlib", "scikit-learn"}


def test_both_nodes_configure_themselves_there(robot_python: Path, tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "tiny", load_task(config_file("tasks", "peg_rect")))
    ros = tmp_path / "ros"
    ros.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if (entry.suffix not in (".dist-info", ".egg-info") and entry.name.startswith(ROS)) or entry.name.endswith(
            MESSAGES
        ):
            (ros / entry.name).symlink_to(entry)
    env = with_ros()
    env["PYTHONPATH"] = os.pathsep.join([env["PYTHONPATH"], str(ros)])
    done = run(robot_python, PROGRAM, bundle, env=env)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["imported"] == []
    assert found["nodes"] == dict.fromkeys(("refinery_policy", "refinery_sampler"), "trigger_cleanup: SUCCESS")
