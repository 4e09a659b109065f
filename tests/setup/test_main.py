"""The set-up as ``make`` runs it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "tools" / "setup" / "run"


def run(*words, **env):
    return subprocess.run([RUN, *words], env={**os.environ, **env}, capture_output=True, text=True, timeout=120)


def test_nothing_is_done_twice():
    done = run("build")
    assert done.returncode == 0, done.stderr
    # Every step that is done is named.
    assert done.stdout == ""


def test_it_waits_for_another_set_up():
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    process = subprocess.Popen([RUN, "build"], stdout=subprocess.PIPE, text=True)
    assert "waiting for it" in process.stdout.readline()
    assert process.poll() is None
    os.close(folder)
    assert process.wait(60) == 0
    process.stdout.close()


def test_without_python_it_says_how_to_get_one():
    done = run("build", PYTHON="python3.imaginary")
    assert done.returncode == 1
    assert "apt-get install -y python3 python3-venv" in done.stderr


def test_another_ros_is_refused_in_one_message():
    env = {"ROS_DISTRO": "humble", "AMENT_PREFIX_PATH": "/opt/ros/humble", "REFINERY_ENV": ""}
    done = run("build", **env)
    assert done.returncode == 1
    assert "expected ROS 2 jazzy or none, got ROS_DISTRO=humble" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [[], ["everything"]])
def test_unknown_words_are_refused(words):
    assert run(*words).returncode == 2


@pytest.fixture
def bare_clone(tmp_path):
    """A workspace with the set-up, one requirement that does not exist, and nothing else."""
    clone = tmp_path / "a clone"
    shutil.copytree(ROOT / "tools", clone / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (clone / "requirements").mkdir()
    (clone / "requirements" / "constraints.txt").touch()
    for name in ("ros", "build", "robot", "run", "train", "dev", "nodeps"):
        (clone / "requirements" / f"{name}.txt").touch()
    return clone


@pytest.mark.timeout(180)
def test_a_failed_step_is_explained_and_resumed_from(bare_clone):
    wish = bare_clone / "requirements" / "build.txt"
    wish.write_text(f"missing @ file://{bare_clone}/missing-1.0-py3-none-any.whl\n")
    command = [bare_clone / "tools" / "setup" / "run", "venv"]
    env = {**os.environ, "ROS_DISTRO": "", "AMENT_PREFIX_PATH": "", "PIP_NO_INDEX": "1"}
    first = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert first.returncode == 1
    assert "virtual environment" in first.stdout
    assert "missing-1.0-py3-none-any.whl" in first.stderr
    assert f"(everything it said: {bare_clone / 'log' / 'setup.log'})" in first.stderr
    wish.write_text("")
    second = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert "virtual environment" not in second.stdout
    assert "colcon and rosidl tools" in second.stdout
