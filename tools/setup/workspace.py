"""The workspace build: colcon over the packages in src/, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from console import Console
from stamps import Stamps, content_hash

SOURCES = ("src",)
"""Folders whose packages are built."""
_DESCRIBING = ("package.xml", "setup.py", "setup.cfg", "CMakeLists.txt")
_INTERFACES = (".msg", ".srv", ".action")
_INSTALLED = ("launch", "config")
_OWNER = "refinery"


class Workspace:
    """The colcon workspace.

    Args:
        root: The workspace.
        env: A clean environment.
        base: Hash of what it is built against; another one asks for a new build from nothing.
        console: Shows the steps.
    """

    def __init__(self, root: Path, env: Mapping[str, str], base: str, console: Console) -> None:
        self._root, self._env, self._base, self._console = root, env, base, console
        self.stamps = Stamps(root / "install" / ".refinery")

    def packages(self) -> list[Path]:
        """Return the folders of the packages to build."""
        return sorted(xml.parent for source in SOURCES for xml in (self._root / source).glob("*/package.xml"))

    def content(self, package: Path) -> str:
        """Return the hash of all that the build of a package depends on.

        Python modules, launch and configuration files are linked, so edits show without a build; of files that are
        installed one by one only the list counts.
        """
        files = [package / name for name in _DESCRIBING if (package / name).exists()]
        files += [path for path in package.rglob("*") if path.suffix in _INTERFACES]
        listed: list[Path] = []
        if package.name == _OWNER:
            listed = [path for name in _INSTALLED for path in (self._root / name).rglob("*") if path.is_file()]
        names = sorted(path.relative_to(self._root).as_posix() for path in listed if "__pycache__" not in path.parts)
        return content_hash(self._root, files, self._base, *names)

    def changed(self) -> dict[str, str]:
        """Return name and new hash of the packages that are not built as they are now."""
        hashes = {package.name: self.content(package) for package in self.packages()}
        return {name: value for name, value in hashes.items() if self.stamps.read(name) != value}

    def ready(self) -> bool:
        """Return whether nothing is left to do."""
        return not self.changed() and not self._gone()

    def make(self) -> None:
        """Build the packages that changed, and no other: none needs another one's build again."""
        if self.stamps.read("base") != self._base:
            for name in ("build", "install"):
                shutil.rmtree(self._root / name, ignore_errors=True)
            self.stamps.write("base", self._base)
        for folder in self._gone():
            shutil.rmtree(folder)
        changed = self.changed()
        for name in changed:
            self.stamps.drop(name)
            for kind in _INSTALLED:
                # Links to files that are gone would stay.
                shutil.rmtree(self._root / "install" / name / "share" / name / kind, ignore_errors=True)
        if changed:
            what = ", ".join(changed) if len(changed) < 3 else f"{len(changed)} packages"
            self._console.step(f"colcon build of {what}", partial(self._colcon, sorted(changed)))
        for name, value in changed.items():
            self.stamps.write(name, value)

    def _gone(self) -> list[Path]:
        """Return what was built of packages that are not there any more."""
        names = {package.name for package in self.packages()}
        folders = [self._root / "build", self._root / "install"]
        built = [path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_dir()]
        return [path for path in built if not path.name.startswith(".") and path.name not in names]

    def _colcon(self, names: list[str]) -> None:
        # Without a job count of ours colcon gives make a load limit, which stalls it on a busy machine.
        env = {"MAKEFLAGS": f"-j{os.cpu_count() or 2}", **self._env, "PYTHONWARNINGS": "ignore"}
        python = self._root / ".venv" / "bin" / "python"
        # As a module: a system's own colcon would have the nodes run by the system's Python.
        command: list[str | Path] = [self._root / "tools" / "env", "--underlay", "python", "-m", "colcon"]
        command += ["--log-base", self._root / "log" / "colcon"]
        command += ["build", "--symlink-install", "--base-paths", *(self._root / source for source in SOURCES)]
        command += ["--build-base", self._root / "build", "--install-base", self._root / "install"]
        command += ["--packages-select", *names, "--event-handlers", "console_direct+"]
        command += ["--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={python}"]
        command += [f"-DPYTHON_EXECUTABLE={python}"]
        self._console.run(command, env=env, cwd=self._root, todo=_todo)


def _todo(output: str) -> str:
    failed = [line for line in output.splitlines() if line.startswith(("Failed   <<<", "Aborted  <<<"))]
    return f"mend {failed[0].split()[2]}, then run again" if failed else "mend what it names, then run again"
