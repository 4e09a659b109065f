from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

import host
from console import SetupError
from host import check_host, clean_environment, missing_packages, ros_mode

ROOT = Path("/home/me/refinery")


def test_missing_tools_are_named_by_their_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_packages((3, 11), tmp_path) == ["gcc", "g++", "cmake", "make", "python3.11-dev"]
    (tmp_path / "Python.h").touch()
    for tool in ("gcc", "make"):
        (tmp_path / tool).write_text("")
        (tmp_path / tool).chmod(0o755)
    assert missing_packages((3, 12), tmp_path) == ["g++", "cmake"]


def test_a_python_without_venv_is_noticed(tmp_path, monkeypatch):
    real = host.importlib.util.find_spec
    monkeypatch.setattr(host.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else real(name))
    assert "python3.12-venv" in missing_packages((3, 12), tmp_path)


def test_all_that_is_missing_is_told_at_once_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"sudo apt-get install -y gcc g\+\+ cmake make"):
        check_host()


def test_another_python_is_refused(monkeypatch):
    monkeypatch.setattr(host, "sys", types.SimpleNamespace(version_info=types.SimpleNamespace(major=3, minor=9)))
    monkeypatch.setattr(host, "base_python", lambda: Path("/usr/bin/python3.9"))
    with pytest.raises(SetupError, match=r"expected Python 3\.11 or 3\.12, got 3\.9(.|\n)*PYTHON=python3\.11"):
        check_host()


def test_the_interpreter_is_found_through_a_virtual_environment():
    assert not host.base_python().is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix


def test_our_own_environment_is_taken_out_and_the_user_s_kept():
    env = {
        "PATH": f"{ROOT}/.venv/bin:/usr/bin:{ROOT}-other/bin",
        "AMENT_PREFIX_PATH": f"{ROOT}/install/refinery:{ROOT}/.venv",
        "PYTHONPATH": f"{ROOT}/build/refinery:/home/me/mine",
        "REFINERY_ENV": str(ROOT),
        "ROS_DISTRO": "jazzy",
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
        "HOME": "/home/me",
    }
    cleaned = clean_environment(env, ROOT)
    assert cleaned == {"PATH": f"/usr/bin:{ROOT}-other/bin", "PYTHONPATH": "/home/me/mine", "HOME": "/home/me"}
    assert ros_mode(cleaned) == "wheels"


def test_a_sourced_system_ros_is_kept():
    env = {"AMENT_PREFIX_PATH": f"{ROOT}/install/refinery:/opt/ros/jazzy", "ROS_DISTRO": "jazzy"}
    cleaned = clean_environment({**env, "REFINERY_ENV": str(ROOT)}, ROOT)
    assert cleaned == {"AMENT_PREFIX_PATH": "/opt/ros/jazzy", "ROS_DISTRO": "jazzy"}


@pytest.mark.parametrize(
    "env",
    [
        {"ROS_DISTRO": "humble", "AMENT_PREFIX_PATH": "/opt/ros/humble"},
        {"ROS_DISTRO": "jazzy"},
    ],
)
def test_another_or_half_sourced_ros_is_refused(env):
    with pytest.raises(SetupError, match=f"got ROS_DISTRO={env['ROS_DISTRO']}(.|\n)*source /opt/ros/jazzy/setup.bash"):
        ros_mode(env)


def test_jazzy_is_used_if_rclpy_can_be_imported_and_refused_if_not(tmp_path):
    env = {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": "/opt/ros/jazzy", "PYTHONPATH": str(tmp_path)}
    with pytest.raises(SetupError, match="cannot import rclpy"):
        ros_mode(env)
    (tmp_path / "rclpy.py").touch()
    assert ros_mode(env) == "system"
