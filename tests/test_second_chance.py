"""A test on a ROS graph that fails runs once more, and the summary tells; no other test does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = "[pytest]\naddopts = -raR --strict-markers\nmarkers = ros\n"
TESTS = """
import pathlib, pytest

RAN = pathlib.Path(__file__).with_suffix(".txt")

@pytest.fixture(scope="module")
def cell():
    with RAN.open("a") as file:
        file.write("cell\\n")

def fail_until(name, time):
    with RAN.open("a") as file:
        file.write(f"{name}\\n")
    assert RAN.read_text().split().count(name) >= time, f"{name} went wrong"

@pytest.mark.ros
def test_late(cell):
    fail_until("late", 2)

@pytest.mark.ros
def test_wrong(cell):
    fail_until("wrong", 3)

def test_plain(cell):
    fail_until("plain", 2)
"""


@pytest.mark.parametrize("spread", [(), ("-n", "1", "--dist", "loadfile")], ids=["alone", "spread"])
def test_only_a_test_on_a_graph_has_a_second_chance(tmp_path: Path, spread: tuple[str, ...]) -> None:
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "test_cell.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rerun-show-tracebacks", *spread]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1, done.stdout
    # The cell of the module is not set up again.
    assert (tmp_path / "test_cell.txt").read_text().split() == ["cell", "late", "late", "wrong", "wrong", "plain"]
    assert "2 failed, 1 passed, 2 rerun" in done.stdout
    assert re.findall(r"^RERUN test_cell.py::(\w+)$", done.stdout, re.MULTILINE) == ["test_late", "test_wrong"]
    assert "late went wrong" in done.stdout
