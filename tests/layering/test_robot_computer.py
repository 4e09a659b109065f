"""A robot's computer runs both nodes and every command without simulator, training, polygons and plots."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from layering.dependencies import imported, library
from layering.robot_computer import ABSENT
from layering.sources import ROOT, Import, imports, python_files, reached
from refinery.cli.main import COMMANDS
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle

PROGRAM = Path(__file__).with_name("robot_computer.py")
NODES = ("refinery_assembly_node.node", "refinery_policy_node.node", "refinery_sampler_node.node")
PATIENCE_S = 300


def on_a_robot() -> list[Import]:
    """Imports behind the nodes, every command and the launch files."""
    launch = [item.name for file in python_files(ROOT / "launch") for item in imports(file)]
    return reached([*NODES, "refinery.cli.main", *(module for module, _ in COMMANDS.values()), *launch])


def test_nodes_and_commands_run_where_nothing_else_is_installed(tmp_path: Path) -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    command = [sys.executable, str(PROGRAM), str(tiny_bundle(tmp_path / "tiny", task))]
    env = os.environ | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=env, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["imported"] == []
    assert found["commands"] == sorted(COMMANDS)
    assert found["ticks"] == task.control.episode_steps
    assert found["solids"] == ["box"]
    assert found["nodes"] == dict.fromkeys(("refinery_policy", "refinery_sampler"), "trigger_cleanup: SUCCESS")


@pytest.mark.parametrize("name", ["shapely", "refinery_sim"])
def test_the_program_really_cannot_import_what_is_absent(name: str) -> None:
    assert importlib.util.find_spec(name)
    text = f"import sys, {PROGRAM.stem} as here; sys.meta_path.insert(0, here.Absent()); import {name}"
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(PROGRAM.parent), os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=env, check=False)
    assert f"ModuleNotFoundError: No module named '{name}'" in done.stderr


def test_nothing_behind_the_nodes_and_commands_is_absent_on_a_robot() -> None:
    found = on_a_robot()
    assert any(item.of("rclpy") for item in found) and any(item.of("onnxruntime") for item in found)
    assert [str(item) for item in found if item.of(*ABSENT)] == []
    # A third of a node's start, for one density.
    assert [str(item) for item in found if item.of("scipy.stats")] == []


def test_the_requirements_of_a_robot_are_what_is_imported_there() -> None:
    lines = (ROOT / "requirements" / "robot.txt").read_text(encoding="utf-8").splitlines()
    listed = {line.split("==")[0].lower() for line in lines if line and not line.startswith("#")}
    files = {item.file for item in on_a_robot()}
    own = {"launch", "refinery", "refinery_ros", *(node.split(".")[0] for node in NODES)}
    assert listed == {item.pin.lower() for item in map(library, imported(files, own)) if item}


def test_imports_behind_a_module_are_those_of_its_packages_and_functions_too() -> None:
    names = {item.name for item in reached(["refinery.bundle.observation_statistics"])}
    # refinery.bundle's own __init__ imports the policy, which is one of ONNX Runtime.
    assert "onnxruntime" in names
    assert "rclpy" in {item.name for item in reached(["refinery.cli.sample"])}
    assert "mujoco" in {item.name for item in reached(["refinery_twin.node"])}
