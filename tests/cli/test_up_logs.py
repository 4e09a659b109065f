"""``refinery up`` where its logs cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.supervisor import Supervisor
from refinery.errors import StorageError
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", load_task(config_file("tasks", "peg_rect")))


@pytest.mark.parametrize(
    ("env", "words", "place"),
    [
        ({"HOME": "/proc/nohome"}, [], "/proc/nohome/.ros/log/refinery-"),
        ({"HOME": "/proc/nohome", "ROS_HOME": "/proc/other"}, [], "/proc/other/log/refinery-"),
        ({"ROS_LOG_DIR": "/dev/null"}, [], "/dev/null/refinery-"),
        ({}, ["--log-dir", "/proc/nohome"], "/proc/nohome"),
    ],
)
def test_one_line_says_where_and_what_to_do(bundle, env, words, place):
    known = {name: value for name, value in os.environ.items() if name not in ("ROS_HOME", "ROS_LOG_DIR")}
    command = [sys.executable, "-m", "refinery.cli.main", "up", "--robot", "twin", "--bundle", str(bundle), *words]
    done = subprocess.run(command, env=known | env, capture_output=True, text=True, timeout=240, check=False)
    (line,) = [line for line in done.stderr.splitlines() if "could not be written" in line]
    assert done.returncode == 2 and line.startswith(f"refinery up: {place}") and "--log-dir" in line
    assert "Traceback" not in done.stderr


@pytest.fixture
def package(tmp_path):
    """Make a package with one executable of the given code; returns the environment that finds it."""

    def make(code: str) -> dict[str, str]:
        path = tmp_path / "lib" / "some_package" / "node"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!{sys.executable}\n{code}\n")
        path.chmod(0o755)
        index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True)
        (index / "some_package").touch()
        known = {name: value for name, value in os.environ.items() if name != "ROS_LOG_DIR"}
        return known | {"AMENT_PREFIX_PATH": str(tmp_path)}

    return make


def test_the_nodes_log_where_the_bring_up_does(tmp_path, package):
    # A node that cannot log where ROS does by itself does not start.
    env = package("import os; print(os.environ['ROS_LOG_DIR'])")
    spec = NodeSpec(package="some_package", executable="node", name="node")
    for named, expected in (({}, tmp_path / "logs"), ({"ROS_LOG_DIR": "/elsewhere"}, "/elsewhere")):
        with Supervisor([spec], env=env | named, log_dir=tmp_path / "logs", quiet=True) as nodes:
            nodes.wait(timeout_s=30)
        assert (tmp_path / "logs" / "node.log").read_text().strip() == str(expected)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_disk_that_is_full_between_two_nodes_leaves_none_of_them(tmp_path, package):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "second.yaml").symlink_to("/dev/full")
    specs = [NodeSpec(package="some_package", executable="node", name=name) for name in ("first", "second")]
    env = package("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    with pytest.raises(StorageError) as full:
        Supervisor(specs, env=env, log_dir=tmp_path / "logs", quiet=True).start()
    assert "no space" in full.value.reason and "--log-dir" in full.value.todo
    pid = (tmp_path / "logs" / "first.log").read_text().strip()
    assert not pid or not Path(f"/proc/{pid}").exists()
