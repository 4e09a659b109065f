"""``tools/env``: the one way to run anything inside the environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from other_user import bound, reachable

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
    environment, pid, executable = json.loads(process.communicate(timeout=240)[0])
    assert pid == process.pid
    assert Path(executable).is_relative_to(ROOT / ".venv")
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert "ROS_DOMAIN_ID" not in environment or SYSTEM_ROS
    assert str(ROOT / "install" / "refinery_msgs") in environment["AMENT_PREFIX_PATH"].split(":")


def test_it_works_from_anywhere_and_through_a_link(tmp_path):
    link = tmp_path / "env"
    link.symlink_to(ENV)
    command = [link, "python", "-c", "import rclpy, refinery_msgs.srv, refinery; print('fine')"]
    done = subprocess.run(command, env=outside(), cwd=tmp_path, capture_output=True, text=True, timeout=240)
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
    done = subprocess.run([tmp_path / "tools" / "env", "true"], env=BARE, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "make build" in done.stderr


@pytest.mark.skipif(SYSTEM_ROS, reason="a system ROS 2 is sourced: the wheels' start-up is not in use")
def test_python_starts_once_not_twice():
    code = "import os, sys; print(os.environ['_ROS_WHEELS_BOOTSTRAP_COMPLETE'], os.environ['LD_LIBRARY_PATH'])"
    guard, libraries = run("python", "-c", code).stdout.split()
    assert guard == "1"
    bare = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-c", code], env=BARE, capture_output=True, text=True, timeout=240
    )
    assert set(bare.stdout.split()[1].split(":")) <= set(libraries.split(":"))


@pytest.fixture
def checkout():
    """A checkout with just what `tools/env` looks for."""
    with reachable() as folder:
        for name in ("tools", ".venv/bin", ".venv/.refinery", "install"):
            (folder / name).mkdir(parents=True)
        shutil.copy(ENV, folder / "tools" / "env")
        python = folder / "python3"
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
        (folder / ".venv/bin/python").symlink_to(python)
        (folder / ".venv/.refinery/mode").write_text("wheels\n")
        (folder / "install/local_setup.bash").write_text("")
        yield folder


def said(checkout):
    done = bound([checkout / "tools" / "env", "true"], env=BARE, cwd="/")
    assert done.stdout == "" and len(done.stderr.splitlines()) <= 1
    return done.returncode, done.stderr


def test_a_checkout_that_may_be_used_is_used(checkout):
    assert said(checkout) == (0, "")


@pytest.mark.parametrize("closed", [".venv", ".venv/bin", ".venv/.refinery", "install"])
def test_a_folder_that_this_user_may_not_enter_is_named_with_its_owner(checkout, closed):
    (checkout / closed).chmod(0o000)
    code, text = said(checkout)
    assert code == 1 and f"may not enter {checkout / closed}," in text
    assert f"belongs to {checkout.owner()}" in text and "a clone of your own" in text
    assert "got nothing there" not in text


def test_an_interpreter_in_another_users_home_is_said_to_be_there(checkout):
    home = checkout / "home"
    (home / "python" / "bin").mkdir(parents=True)
    (checkout / "python3").rename(home / "python" / "bin" / "python3")
    python = checkout / ".venv/bin/python"
    python.unlink()
    (home / "current").symlink_to("python")
    python.symlink_to("../../home/current/bin/python3")
    assert said(checkout)[0] == 0
    home.chmod(0o700 if os.geteuid() == 0 else 0o000)
    code, text = said(checkout)
    assert code == 1 and "/home, which belongs to" in text and "got nothing there" not in text


@pytest.mark.parametrize(
    ("file", "may_not", "mode"),
    [
        ("python3", "execute", 0o644),
        (".venv/.refinery/mode", "read", 0o000),
        ("install/local_setup.bash", "read", 0o000),
    ],
)
def test_a_file_that_this_user_may_not_use_is_named_with_its_mode(checkout, file, may_not, mode):
    (checkout / file).chmod(mode)
    code, text = said(checkout)
    assert code == 1 and f"may not {may_not} it" in text and f"mode {mode:o}" in text
    assert f"this checkout belongs to {checkout.owner()}" in text


@pytest.mark.parametrize("target", ["/nowhere/python3", "python"])
def test_a_link_to_no_interpreter_is_told_from_none(checkout, target):
    python = checkout / ".venv/bin/python"
    python.unlink()
    code, text = said(checkout)
    assert code == 1 and "got nothing there: run `make build`" in text
    python.symlink_to(target)
    code, text = said(checkout)
    assert code == 1 and f"a link to {target}, where nothing is" in text and "make distclean build" in text


def test_an_environment_that_was_made_elsewhere_is_refused(checkout):
    (checkout / ".venv/.refinery/root").write_text(f"{checkout}\n")
    assert said(checkout)[0] == 0
    (checkout / ".venv/.refinery/root").write_text("/old/place\n")
    code, text = said(checkout)
    assert code == 1 and "made in /old/place" in text and "make build" in text
