"""The virtual environment: made, filled with pinned packages, and repaired."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from console import Console
from host import base_python
from repair import include_folders, repair_cmake
from stamps import Stamps, content_hash

_SETS = {
    "build": ("colcon and rosidl tools", "build.txt", []),
    "ros": ("ROS 2 Jazzy wheels", "ros.txt", []),
    "robot": ("what a robot needs", "robot.txt", []),
    "run": ("simulation and tools", "run.txt", []),
    "model": ("arm model and statistics", "nodeps.txt", ["--no-deps"]),
    "train": ("training packages", "train.txt", []),
    "dev": ("test and lint tools", "dev.txt", []),
}
_LATER = ("run", "model", "train", "dev")
"""Sets that the build of the workspace does without."""
_NETWORK = ("Temporary failure", "NewConnectionError", "Max retries", "Connection refused", "ProxyError", "timed out")


class Environment:
    """The workspace's virtual environment.

    Args:
        root: The workspace.
        env: A clean environment.
        mode: ``wheels`` or ``system``.
        console: Shows the steps.
    """

    def __init__(self, root: Path, env: Mapping[str, str], mode: str, console: Console) -> None:
        self._root, self._env, self._mode, self._console = root, env, mode, console
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.stamps = Stamps(self.folder / ".refinery")
        # A moved checkout or another Python needs a new environment: scripts in it name both.
        self.base = content_hash(root, [], mode, str(root), "{}.{}.{}".format(*sys.version_info[:3]))

    def hashes(self) -> dict[str, str]:
        """Return the name and hash of each step that fills the environment, in order."""
        requirements = self._root / "requirements"
        pins = requirements / "constraints.txt"
        wanted = {}
        for name, (_, file, _options) in _SETS.items():
            if name != "ros" or self._mode == "wheels":
                wanted[name] = content_hash(self._root, [requirements / file, pins], self.base)
        if self._mode == "wheels":
            rules = Path(__file__).with_name("repair.py")
            wanted["repair"] = content_hash(self._root, [rules], wanted["ros"], wanted["build"], wanted["robot"])
        return wanted

    def underlay(self) -> str:
        """Return the hash of what the workspace is built against."""
        return content_hash(self._root, [self._root / "requirements" / "ros.txt"], self.base)

    def prefixes(self) -> list[Path]:
        """Return the ament prefixes of what the workspace is built against."""
        if self._mode == "wheels":
            return [self.folder]
        return [Path(part) for part in self._env["AMENT_PREFIX_PATH"].split(os.pathsep) if part]

    def ready(self) -> bool:
        """Return whether nothing is left to do."""
        stamped = self.stamps.read("base") == self.base and self.python.exists()
        return stamped and all(self.stamps.read(name) == value for name, value in self.hashes().items())

    def make(self, *, for_build: bool = False) -> None:
        """Do what is left to do; a step that was interrupted is done again, those before it are not.

        Args:
            for_build: Only what the build of the workspace needs.
        """
        if self.stamps.read("base") != self.base or not self.python.exists():
            self._console.step("virtual environment", self._create)
        hashes = self.hashes()
        for name in _LATER if for_build else ():
            del hashes[name]
        for name, value in hashes.items():
            if self.stamps.read(name) != value:
                self.stamps.drop(name)
                label = "repair of the wheels' CMake files" if name == "repair" else _SETS[name][0]
                self._console.step(label, self._repair if name == "repair" else partial(self._install, name))
                self.stamps.write(name, value)

    def _create(self) -> None:
        options = ["--system-site-packages"] if self._mode == "system" else []
        # An environment without a stamp is one whose making was interrupted: go on with it if it is of the right kind.
        if self.stamps.read("base") or not self._of_this_python():
            options.append("--clear")
        self._run([base_python(), "-m", "venv", *options, self.folder])
        self.stamps.write("mode", self._mode)
        self.stamps.write("root", str(self._root))
        self.stamps.write("base", self.base)

    def _of_this_python(self) -> bool:
        try:
            lines = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        found = dict(line.split(" = ", 1) for line in lines if " = " in line)
        shares = "true" if self._mode == "system" else "false"
        same_place = str(self.folder) in found.get("command", str(self.folder))
        version = "{}.{}.{}".format(*sys.version_info[:3])
        return found.get("version") == version and found.get("include-system-site-packages") == shares and same_place

    def _install(self, name: str) -> None:
        _, file, options = _SETS[name]
        requirements = self._root / "requirements"
        pip: list[str | Path] = [self.python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        pip += ["--progress-bar", "off", *options]
        pip += ["-c", requirements / "constraints.txt", "-r", requirements / file]
        self._run(pip)

    def _repair(self) -> None:
        changed = repair_cmake(self.folder / "share", *include_folders(self.python))
        self._console.log(f"repaired {changed} CMake files")

    def _run(self, command: list[str | Path]) -> None:
        self._console.run(command, env=self._env, cwd=self._root, todo=_todo)


def _todo(output: str) -> str:
    """Return what to do about a failed installation, from what it said."""
    if "No space left" in output:
        return "free some disk space (about 3 GB are needed), then run the same command again: it resumes"
    if any(sign in output for sign in _NETWORK):
        return "no package index was reached: check network and pip settings (proxy, index), then run again: it resumes"
    if "No matching distribution" in output:
        return "the package index in use lacks that version: check pip's settings (`pip config list`)"
    return "mend what it names, then run the same command again: it resumes"
