"""The demo as a process: killing a node or Ctrl-C leaves nothing behind and says what happened."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle

pytestmark = pytest.mark.ros
MARK = "REFINERY_TEST_RUN"


def marked(mark: str) -> list[tuple[int, str]]:
    """Processes whose environment carries the mark: (pid, command line)."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if command:
                    found.append((int(folder.name), command))
    return found


def wait_for(condition, timeout_s: float):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"nothing came within {timeout_s} s")


@contextlib.contextmanager
def running(tmp_path: Path, code: str) -> Iterator[tuple[subprocess.Popen, str, Path]]:
    """A demo whose nodes come up."""
    mark = uuid.uuid4().hex
    output = tmp_path / "output.txt"
    # A test run in the background of a shell ignores Ctrl-C, and its children would.
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{code}"
    arguments = ["--preset", "smoke", "--trials", "50", "--out", str(tmp_path / "demo")]
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, MARK: mark, "PYTHONUNBUFFERED": "1"},
            cwd=tmp_path,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "bring up twin" in output.read_text() or process.poll() is not None, 240)
        assert process.poll() is None, output.read_text()
        yield process, mark, output
    finally:
        for pid, _ in marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def test_a_killed_node_ends_the_demo_and_is_named(tmp_path: Path) -> None:
    with running(tmp_path, "from refinery_evaluation.cli.demo import main; main()") as (process, mark, output):
        (policy,) = [pid for pid, command in marked(mark) if "policy_node" in command]
        os.kill(policy, signal.SIGKILL)
        assert process.wait(60) != 0
        assert "refinery_policy" in output.read_text() and "Traceback" not in output.read_text()
        assert wait_for(lambda: not marked(mark), 20)


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    # Refining was gone through in the test above and takes a minute; here a bundle is there already.
    bundle = tiny_bundle(tmp_path / "bundle", load_task(config_file("tasks", "peg_rect")))
    code = f"""
from pathlib import Path
from types import SimpleNamespace
from refinery_evaluation.cli import demo
demo.refine = lambda args: SimpleNamespace(bundle=Path({str(bundle)!r}))
demo.main()
"""
    with running(tmp_path, code) as (process, mark, output):
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
        assert "interrupted" in output.read_text() and "Traceback" not in output.read_text()
        assert wait_for(lambda: not marked(mark), 20)
