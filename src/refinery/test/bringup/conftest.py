"""Small real processes in the place of nodes: executables of packages in an install space made for the test."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from refinery.bringup.node_spec import NodeSpec

PATIENCE_S = 60.0
"""Longest wait; only a failure takes this long."""
PROGRAMS = {
    # Records the signal it receives, then ends.
    "polite": """
        import signal, sys, time, os
        def end(number, frame):
            with open(os.environ["STORY"], "a") as story:
                story.write(f"{name} {signal.Signals(number).name}\\n")
            sys.exit(0)
        name = next(word.partition(":=")[2] for word in sys.argv if word.startswith("__node:="))
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
        print("here", flush=True)
        time.sleep(600)
    """,
    "no_interrupt": """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("here", flush=True)
        time.sleep(600)
    """,
    "stubborn": """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("here", flush=True)
        time.sleep(600)
    """,
    "quitter": """
        import sys, time
        print("first line", flush=True)
        time.sleep(0.3)
        print("the last word", flush=True)
        sys.exit(3)
    """,
    "parent": """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(f"child {child.pid}", flush=True)
        child.wait()
    """,
    "orphaner": """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(f"child {child.pid}", flush=True)
        sys.exit(5)
    """,
    "echo_arguments": """
        import sys, time
        print(sys.argv[1:], flush=True)
        print(open(sys.argv[-1]).read(), flush=True)
        time.sleep(600)
    """,
}


class InstallSpace:
    """An install space with packages that hold the programs."""

    def __init__(self, root: Path) -> None:
        self.prefix = root / "prefix"
        self.story = root / "story"
        self.log_dir = root / "logs"
        self.add("fake_nodes", PROGRAMS)

    def add(self, package: str, programs: dict[str, str]) -> None:
        folder = self.prefix / "lib" / package
        folder.mkdir(parents=True)
        index = self.prefix / "share" / "ament_index" / "resource_index" / "packages"
        index.mkdir(parents=True, exist_ok=True)
        (index / package).touch()
        for name, source in programs.items():
            path = folder / name
            lines = [line[8:] for line in source.strip("\n").splitlines()]
            path.write_text("\n".join([f"#!{sys.executable}", *lines, ""]))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "AMENT_PREFIX_PATH": str(self.prefix), "STORY": str(self.story)}

    def spec(self, executable: str, name: str | None = None, **more) -> NodeSpec:
        return NodeSpec(package="fake_nodes", executable=executable, name=name or executable, **more)

    def wait_for(self, name: str, text: str, timeout_s: float = PATIENCE_S) -> str:
        """Wait until a node has written a text, and return all it has written."""
        return until(lambda: (said := self.said(name)) if text in (said := self.said(name)) else "", timeout_s)

    def said(self, name: str) -> str:
        path = self.log_dir / f"{name}.log"
        return path.read_text() if path.exists() else ""


def until(value, timeout_s: float = PATIENCE_S):
    """Wait until a function gives something true, and return it."""
    end = time.monotonic() + timeout_s
    while not (found := value()):
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.02)
    return found


def running(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def space(tmp_path) -> InstallSpace:
    return InstallSpace(tmp_path)


@pytest.fixture(name="until")
def until_fixture():
    return until


@pytest.fixture(name="running")
def running_fixture():
    return running
