"""``tools/env``: the one way to run anything inside the environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENV = ROOT / "tools" / "env"
PRINT = "import json, os, sys; print(json.dumps([dict(os.environ), os.getpid(), sys.executable]))"
BARE = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
SYSTEM_ROS = (ROOT / ".venv" / ".refinery" / "mode").read_text().strip() == "system"


def outside() -> dict[str, str]:
    """Return an environment as of a shell that is not inside ours."""
    if not SYSTEM_ROS:
        return dict(BARE)
    return {name: value for name, value in os.environ.items() if name != "REFINERY_ENV"}


def run(*words, env=None, cwd="/"):
    return subprocess.run(
        [ENV, *words], env=outside() if env is None else env, cwd=cwd, capture_output=True, text=True, timeout=120
    )


def test_the_command_becomes_the_process_and_keeps_its_pid():
    process = subprocess.Popen([ENV, "python", "-c", PRINT], env=outside(), stdout=subprocess.PIPE, text=True)
    environment, pid, executable = json.loads(process.communicate(timeout=60)[0])
    assert pid == process.pid
    assert Path(executable).is_relative_to(ROOT / ".venv")
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert "ROS_DOMAIN_ID" not in environment or SYSTEM_ROS
    assert str(ROOT / "install" / "refinery_msgs") in environment["AMENT_PREFIX_PATH"].split(":")


def test_it_works_from_anywhere_and_through_a_link(tmp_path):
    link = tmp_path / "env"
    link.symlink_to(ENV)
    command = [link, "python", "-c", "import rclpy, refinery_msgs.srv, refinery; print('fine')"]
    done = subprocess.run(command, env=outside(), cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


def test_inside_it_changes_nothing_more():
    environment = json.loads(run("python", "-c", PRINT).stdout)[0]
    again = json.loads(run("python", "-c", PRINT, env=environment).stdout)[0]
    assert again == environment


def test_exit_code_and_a_domain_id_pass_through():
    done = run("bash", "-c", "echo $ROS_DOMAIN_ID; exit 7", env={**outside(), "ROS_DOMAIN_ID": "33"})
    assert (done.stdout, done.returncode) == ("33\n", 7)


def test_edits_to_python_are_seen_without_a_build():
    done = run("python", "-c", "import refinery; print(refinery.__file__)")
    assert Path(done.stdout.strip()).resolve() == ROOT / "src" / "refinery" / "refinery" / "__init__.py"


def test_without_a_command_or_a_set_up_it_says_what_to_do(tmp_path):
    assert "expected a command" in run().stderr
    (tmp_path / "tools").mkdir()
    shutil.copy(ENV, tmp_path / "tools" / "env")
    done = subprocess.run([tmp_path / "tools" / "env", "true"], env=BARE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "make build" in done.stderr


@pytest.mark.skipif(SYSTEM_ROS, reason="a system ROS 2 is sourced: the wheels' start-up is not in use")
def test_python_starts_once_not_twice():
    code = "import os, sys; print(os.environ['_ROS_WHEELS_BOOTSTRAP_COMPLETE'], os.environ['LD_LIBRARY_PATH'])"
    guard, libraries = run("python", "-c", code).stdout.split()
    assert guard == "1"
    bare = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-c", code], env=BARE, capture_output=True, text=True, timeout=60
    )
    assert set(bare.stdout.split()[1].split(":")) <= set(libraries.split(":"))
