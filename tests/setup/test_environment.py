"""What the virtual environment says of itself."""

from __future__ import annotations

from pathlib import Path

from console import Console
from environment import Environment


def prefixes(root, mode, **env):
    return Environment(root, env, mode, Console(root / "setup.log")).prefixes()


def test_the_wheels_are_the_underlay(tmp_path):
    assert prefixes(tmp_path, "wheels", AMENT_PREFIX_PATH="/opt/ros/jazzy") == [tmp_path / ".venv"]


def test_all_that_is_sourced_is_the_underlay(tmp_path):
    sourced = "/home/user/franka/install/franka_msgs:/opt/ros/jazzy:"
    wanted = [Path("/home/user/franka/install/franka_msgs"), Path("/opt/ros/jazzy")]
    assert prefixes(tmp_path, "system", AMENT_PREFIX_PATH=sourced) == wanted
