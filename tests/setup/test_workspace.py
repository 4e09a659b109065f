from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import Console, SetupError
from workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("alpha", "arm_msgs", "beta", "hand_msgs", "refinery")
COLCON = """#!/bin/bash
# Stands in for tools/env: notes what it was asked to build, and builds a folder for each package.
echo "$@" >> "{root}/asked"
echo "$MAKEFLAGS" > "{root}/makeflags"
[ ! -e "{root}/broken" ] || {{ echo "Failed   <<< beta [1s, exited with code 1]"; exit 1; }}
for name in alpha beta refinery arm_msgs hand_msgs; do
  case " $* " in *" $name "*) mkdir -p "{root}/build/$name" "{root}/install/$name/share/$name" ;; esac
done
"""


@pytest.fixture
def root(tmp_path):
    for name in ("alpha", "beta", "refinery"):
        (tmp_path / "src" / name / name).mkdir(parents=True)
        (tmp_path / "src" / name / "package.xml").write_text(f"<package><name>{name}</name></package>")
        (tmp_path / "src" / name / name / "code.py").write_text("x = 1\n")
    (tmp_path / "src" / "alpha" / "msg").mkdir()
    (tmp_path / "src" / "alpha" / "msg" / "A.msg").write_text("uint8 a\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "one.yaml").write_text("a: 1\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "env").write_text(COLCON.format(root=tmp_path))
    (tmp_path / "tools" / "env").chmod(0o755)
    return tmp_path


def make(root, base="base", **env):
    """Bring the workspace up to date and return the packages that were built for it."""
    (root / "asked").unlink(missing_ok=True)
    prefixes = [root / "underlay", root / "overlay"]
    env = {"PATH": "/usr/bin:/bin", **env}
    workspace = Workspace(root, env, base, prefixes, Console(root / "log" / "setup.log"))
    workspace.make()
    assert workspace.ready()
    words = (root / "asked").read_text().split() if (root / "asked").exists() else []
    return [name for name in NAMES if name in words]


def test_only_what_changed_is_built(root):
    assert make(root) == ["alpha", "beta", "refinery"]
    assert make(root) == []
    (root / "src" / "beta" / "beta" / "code.py").write_text("x = 2\n")
    (root / "config" / "one.yaml").write_text("a: 2\n")
    assert make(root) == []
    (root / "src" / "alpha" / "msg" / "A.msg").write_text("uint16 a\n")
    assert make(root) == ["alpha"]
    # The tick is compiled.
    (root / "src" / "refinery" / "refinery" / "tick").mkdir()
    (root / "src" / "refinery" / "refinery" / "tick" / "pose.py").write_text("x = 1\n")
    assert make(root) == ["refinery"]
    (root / "src" / "refinery" / "refinery" / "tick" / "pose.py").write_text("x = 2\n")
    assert make(root) == ["refinery"]
    (root / "config" / "two.yaml").touch()
    assert make(root) == ["refinery"]
    (root / "src" / "beta" / "package.xml").write_text("<package><name>beta</name><!-- --></package>")
    assert make(root) == ["beta"]


@pytest.mark.parametrize("inherited", [{}, {"MAKEFLAGS": " -- PYTHON=python3"}])
def test_compilers_are_limited_by_count_not_by_load(root, inherited):
    # Where MAKEFLAGS has no job count colcon adds a limit on the machine's load; make sets MAKEFLAGS for its recipes.
    make(root, **inherited)
    assert (root / "makeflags").read_text().split() == [f"-j{os.cpu_count()}"]


def test_what_somebody_deleted_is_built_again(root):
    make(root)
    (root / "install" / "beta" / "share" / "beta").rmdir()
    (root / "install" / "beta" / "share").rmdir()
    (root / "install" / "beta").rmdir()
    assert make(root) == ["beta"]


def test_links_to_configuration_that_is_gone_do_not_stay(root):
    make(root)
    link = root / "install" / "refinery" / "share" / "refinery" / "config" / "two.yaml"
    link.parent.mkdir()
    link.symlink_to(root / "config" / "two.yaml")
    (root / "config" / "one.yaml").rename(root / "config" / "three.yaml")
    assert make(root) == ["refinery"]
    assert not link.is_symlink()


def test_another_underlay_means_a_build_from_nothing(root):
    make(root)
    (root / "build" / "alpha" / "CMakeCache.txt").touch()
    assert make(root, "another") == ["alpha", "beta", "refinery"]
    assert not (root / "build" / "alpha" / "CMakeCache.txt").exists()


def test_a_package_that_is_gone_leaves_nothing(root):
    make(root)
    (root / "src" / "beta" / "package.xml").unlink()
    make(root)
    assert not (root / "build" / "beta").exists()
    assert not (root / "install" / "beta").exists()
    (root / "src" / "beta" / "package.xml").write_text("<package><name>beta</name></package>")
    assert make(root) == ["beta"]


def test_a_failed_build_names_the_package_and_is_done_again(root):
    (root / "broken").touch()
    with pytest.raises(SetupError, match=r"mend beta, then run again .*setup\.log"):
        make(root)
    with pytest.raises(SetupError):
        make(root)
    (root / "broken").unlink()
    assert make(root) == ["alpha", "beta", "refinery"]


@pytest.fixture
def declaring(root):
    """A workspace that re-declares two packages, the second of which nests the first; what needed a build is built."""
    for name, depend in (("arm_msgs", "std_msgs"), ("hand_msgs", "arm_msgs")):
        folder = root / "interfaces" / name
        (folder / "msg").mkdir(parents=True)
        (folder / "package.xml").write_text(f"<package><name>{name}</name><depend>{depend}</depend></package>")
        (folder / "CMakeLists.txt").touch()
        (folder / "msg" / "A.msg").write_text("uint8 a\n")
    assert make(root) == ["alpha", "arm_msgs", "beta", "hand_msgs", "refinery"]
    return root


def install_for_real(root, name, prefix="overlay"):
    entry = root / prefix / "share" / "ament_index" / "resource_index" / "packages" / name
    entry.parent.mkdir(parents=True, exist_ok=True)
    entry.touch()
    return entry


def test_colcon_is_told_the_folders_of_declared_packages(declaring):
    (declaring / "interfaces" / "hand_msgs" / "msg" / "A.msg").write_text("uint16 a\n")
    assert make(declaring) == ["hand_msgs"]
    assert str(declaring / "interfaces" / "hand_msgs") in (declaring / "asked").read_text().split()


def test_what_nests_a_changed_type_is_built_again(declaring):
    (declaring / "interfaces" / "arm_msgs" / "msg" / "A.msg").write_text("uint16 a\n")
    assert make(declaring) == ["arm_msgs", "hand_msgs"]
    assert make(declaring) == []


@pytest.mark.parametrize("prefix", ["underlay", "overlay"])
def test_a_declared_package_makes_way_for_the_real_one_and_comes_back(declaring, prefix):
    entry = install_for_real(declaring, "arm_msgs", prefix)
    assert make(declaring) == ["hand_msgs"]
    assert not (declaring / "install" / "arm_msgs").exists()
    assert not (declaring / "build" / "arm_msgs").exists()
    entry.unlink()
    assert make(declaring) == ["arm_msgs", "hand_msgs"]


def test_a_broken_package_file_is_named(declaring):
    (declaring / "interfaces" / "arm_msgs" / "package.xml").write_text("<package>")
    with pytest.raises(SetupError, match=r"expected XML in .*arm_msgs/package\.xml"):
        make(declaring)


def test_where_all_real_packages_are_none_is_declared(declaring):
    for name in ("arm_msgs", "hand_msgs"):
        install_for_real(declaring, name)
    assert make(declaring) == []
    assert sorted(path.name for path in (declaring / "install").iterdir() if path.name[0] != ".") == [
        "alpha",
        "beta",
        "refinery",
    ]


def test_who_runs_colcon_by_hand_does_not_hide_real_packages():
    def found(path):
        command = [sys.executable, "-m", "colcon", "--log-base", os.devnull, "list", "--names-only"]
        done = subprocess.run([*command, "--base-paths", path], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout.split()

    assert found(ROOT / "interfaces") == []
    assert found(ROOT / "interfaces" / "franka_msgs") == ["franka_msgs"]
