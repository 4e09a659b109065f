"""Where ROS cannot log, whoever enters it ends with one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from refinery.bringup.ros_start import choose_own_domain, ros_log_dir
from refinery.errors import StorageError


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"HOME": "/home/me"}, "/home/me/.ros/log"),
        ({"HOME": "/home/me", "ROS_HOME": "/data/ros"}, "/data/ros/log"),
        ({"HOME": "/home/me", "ROS_HOME": "/data/ros", "ROS_LOG_DIR": "/logs"}, "/logs"),
        ({"HOME": "/home/me", "ROS_LOG_DIR": "~/logs"}, "/home/me/logs"),
        ({"HOME": "/home/me", "ROS_LOG_DIR": ""}, "/home/me/.ros/log"),
        ({"ROS_LOG_DIR": "/logs"}, "/logs"),
    ],
)
def test_the_folder_is_the_one_that_ros_chooses(env, folder):
    assert ros_log_dir(env) == Path(folder)


def test_no_home_is_said():
    with pytest.raises(StorageError, match="ROS_LOG_DIR"):
        ros_log_dir({})


@pytest.mark.ros
@pytest.mark.parametrize("place", ["HOME", "ROS_HOME", "ROS_LOG_DIR"])
def test_an_unwritable_folder_is_named_by_the_command(place):
    env = {name: value for name, value in os.environ.items() if name not in ("ROS_HOME", "ROS_LOG_DIR")}
    command = [sys.executable, "-m", "refinery.cli.main", "sample", "--timeout-s", "1"]
    done = subprocess.run(
        command, env=env | {place: "/proc/nohome"}, capture_output=True, text=True, timeout=240, check=False
    )
    (line,) = [line for line in done.stderr.splitlines() if "could not be written" in line]
    assert done.returncode == 2 and line.startswith("refinery sample: /proc/nohome") and "ROS_LOG_DIR" in line
    assert "Traceback" not in done.stderr


@pytest.mark.ros
@pytest.mark.parametrize(
    "module",
    ["refinery_policy_node.node", "refinery_sampler_node.node", "refinery_twin.node", "refinery_twin.move_group.node"],
)
def test_a_node_that_cannot_log_ends_with_one_line(module):
    command = [sys.executable, "-m", module]
    env = os.environ | {"ROS_LOG_DIR": "/proc/nohome"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if "/proc/nohome: could not be written" in line]


def test_a_domain_is_chosen_unless_one_is_named(monkeypatch):
    # Set first, so that the chosen one is forgotten after the test.
    monkeypatch.setenv("ROS_DOMAIN_ID", "0")
    monkeypatch.delenv("ROS_DOMAIN_ID")
    choose_own_domain()
    assert 1 <= int(os.environ["ROS_DOMAIN_ID"]) <= 100
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    choose_own_domain()
    assert os.environ["ROS_DOMAIN_ID"] == "7"
