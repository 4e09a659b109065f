"""What the virtual environment says of itself."""

from __future__ import annotations

from pathlib import Path

import environment as environment_module
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


def test_what_the_build_does_without_is_left_for_later(tmp_path, monkeypatch):
    monkeypatch.setattr(environment_module, "__file__", str(tmp_path / "environment.py"))
    environment = Environment(tmp_path, {}, "wheels", Console(tmp_path / "setup.log"))
    done = []
    monkeypatch.setattr(environment, "_create", lambda: done.append("venv"))
    monkeypatch.setattr(environment, "_install", done.append)
    monkeypatch.setattr(environment, "_repair", lambda: done.append("repair"))
    environment.make(for_build=True)
    assert done == ["venv", "build", "ros", "robot", "repair"]
    assert not environment.ready()
    environment.stamps.write("base", environment.base)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    environment.make()
    assert done[5:] == ["run", "model", "train", "dev"]
    assert environment.ready()
