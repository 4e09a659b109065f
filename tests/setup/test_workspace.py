from __future__ import annotations

import pytest

from console import Console, SetupError
from workspace import Workspace

COLCON = """#!/bin/bash
# Stands in for tools/env: notes what it was asked to build, and builds a folder for each package.
echo "$@" >> "{root}/asked"
[ ! -e "{root}/broken" ] || {{ echo "Failed   <<< beta [1s, exited with code 1]"; exit 1; }}
for name in alpha beta refinery; do
  case " $* " in *" $name "*) mkdir -p "{root}/build/$name" "{root}/install/$name/share/$name" ;; esac
done
"""


@pytest.fixture
def root(tmp_path):
    for name in ("alpha", "beta", "refinery"):
        (tmp_path / "src" / name / name).mkdir(parents=True)
        (tmp_path / "src" / name / "package.xml").write_text(f"<name>{name}</name>")
        (tmp_path / "src" / name / name / "code.py").write_text("x = 1\n")
    (tmp_path / "src" / "alpha" / "msg").mkdir()
    (tmp_path / "src" / "alpha" / "msg" / "A.msg").write_text("uint8 a\n")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "one.yaml").write_text("a: 1\n")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "env").write_text(COLCON.format(root=tmp_path))
    (tmp_path / "tools" / "env").chmod(0o755)
    return tmp_path


def make(root, base="base"):
    """Bring the workspace up to date and return the packages that were built for it."""
    (root / "asked").unlink(missing_ok=True)
    workspace = Workspace(root, {"PATH": "/usr/bin:/bin"}, base, Console(root / "log" / "setup.log"))
    workspace.make()
    assert workspace.ready()
    words = (root / "asked").read_text().split() if (root / "asked").exists() else []
    return [name for name in ("alpha", "beta", "refinery") if name in words]


def test_only_what_changed_is_built(root):
    assert make(root) == ["alpha", "beta", "refinery"]
    assert make(root) == []
    (root / "src" / "beta" / "beta" / "code.py").write_text("x = 2\n")
    (root / "config" / "one.yaml").write_text("a: 2\n")
    assert make(root) == []
    (root / "src" / "alpha" / "msg" / "A.msg").write_text("uint16 a\n")
    assert make(root) == ["alpha"]
    (root / "config" / "two.yaml").touch()
    assert make(root) == ["refinery"]
    (root / "src" / "beta" / "package.xml").write_text("<name>beta</name><!-- -->")
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


def test_a_failed_build_names_the_package_and_is_done_again(root):
    (root / "broken").touch()
    with pytest.raises(SetupError, match=r"mend beta, then run again .*setup\.log"):
        make(root)
    with pytest.raises(SetupError):
        make(root)
    (root / "broken").unlink()
    assert make(root) == ["alpha", "beta", "refinery"]
