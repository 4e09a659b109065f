"""The workspace build: colcon over the packages in src/ and what interfaces/ has of those that the underlay lacks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from console import Console, SetupError
from stamps import Stamps, content_hash

SOURCES = "src"
"""Folder whose packages are always built."""
DECLARED = "interfaces"
"""Folder of re-declared packages: one is built only where the real one is missing, so that it never hides it. The
folder has a COLCON_IGNORE, which counts only for who crawls it: a package's own folder can still be named to colcon."""
_DESCRIBING = ("package.xml", "setup.py", "setup.cfg", "CMakeLists.txt")
_INTERFACES = (".msg", ".srv", ".action")
_INSTALLED = ("launch", "config")
_OWNER = "refinery"
_COMPILED = "refinery/tick"
"""Folder in the owner whose Python is compiled too (its setup.py)."""


class Workspace:
    """The colcon workspace.

    Args:
        root: The workspace.
        env: A clean environment.
        base: Hash of what it is built against; another one asks for a new build from nothing.
        prefixes: Ament prefixes of what it is built against; what they hold when asked counts.
        console: Shows the steps.
    """

    def __init__(
        self, root: Path, env: Mapping[str, str], base: str, prefixes: Sequence[Path], console: Console
    ) -> None:
        self._root, self._env, self._base, self._prefixes, self._console = root, env, base, prefixes, console
        self.stamps = Stamps(root / "install" / ".refinery")

    def packages(self) -> list[Path]:
        """Return the folders of the packages to build: ours, and the re-declared ones whose real package is missing."""
        ours, declared = ((self._root / name).glob("*/package.xml") for name in (SOURCES, DECLARED))
        missing = [xml for xml in declared if not self._installed(xml.parent.name)]
        return sorted(xml.parent for xml in [*ours, *missing])

    def _installed(self, name: str) -> bool:
        """Return whether what the workspace is built against has a package, going by the ament index."""
        entry = Path("share", "ament_index", "resource_index", "packages", name)
        return any((prefix / entry).exists() for prefix in self._prefixes)

    def content(self, package: Path) -> str:
        """Return the hash of all that the build of a package depends on.

        Python modules, launch and configuration files are linked, so edits show without a build, but the tick is
        compiled as well; of files that are installed one by one only the list counts. What CMake builds also depends on
        the packages here that it names in its package.xml, and on whether they are built here at all.
        """
        files = [package / name for name in _DESCRIBING if (package / name).exists()]
        files += [path for path in package.rglob("*") if path.suffix in _INTERFACES]
        listed: list[Path] = []
        if package.name == _OWNER:
            files += (package / _COMPILED).rglob("*.py")
            listed = [path for name in _INSTALLED for path in (self._root / name).rglob("*") if path.is_file()]
        names = sorted(path.relative_to(self._root).as_posix() for path in listed if "__pycache__" not in path.parts)
        nested: list[str] = []
        if (package / "CMakeLists.txt").exists():
            named = _dependencies(package / "package.xml")
            nested = [self.content(other) for other in self.packages() if other.name in named]
        return content_hash(self._root, files, self._base, *names, *nested)

    def changed(self) -> dict[str, str]:
        """Return name and new hash of the packages that are not built as they are now."""
        hashes = {package.name: self.content(package) for package in self.packages()}
        installed = self._root / "install"
        return {
            name: value
            for name, value in hashes.items()
            if self.stamps.read(name) != value or not (installed / name).is_dir()
        }

    def ready(self) -> bool:
        """Return whether nothing is left to do."""
        return not self.changed() and not self._gone()

    def make(self) -> None:
        """Build the packages that changed, and no other."""
        if self.stamps.read("base") != self._base:
            for name in ("build", "install"):
                shutil.rmtree(self._root / name, ignore_errors=True)
            self.stamps.write("base", self._base)
        for folder in self._gone():
            self.stamps.drop(folder.name)
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
        # Without a job count colcon gives make a load limit, which stalls it on a busy machine. What the make that
        # started the set-up left in MAKEFLAGS is about its own targets.
        env = {**self._env, "MAKEFLAGS": f"-j{os.cpu_count() or 2}", "PYTHONWARNINGS": "ignore"}
        python = self._root / ".venv" / "bin" / "python"
        # As a module: a system's own colcon would have the nodes run by the system's Python.
        command: list[str | Path] = [self._root / "tools" / "env", "--underlay", "python", "-m", "colcon"]
        command += ["--log-base", self._root / "log" / "colcon"]
        command += ["build", "--symlink-install", "--base-paths", *self.packages()]
        command += ["--build-base", self._root / "build", "--install-base", self._root / "install"]
        command += ["--packages-select", *names, "--event-handlers", "console_direct+"]
        command += ["--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={python}"]
        command += [f"-DPYTHON_EXECUTABLE={python}"]
        self._console.run(command, env=env, cwd=self._root, todo=_todo)


def _dependencies(package_xml: Path) -> set[str]:
    """Return the packages that a package.xml names as needed to build it."""
    try:
        root = ElementTree.parse(package_xml).getroot()
    except ElementTree.ParseError as error:
        raise SetupError(f"expected XML in {package_xml}: {error}", "mend the file, then run again") from error
    return {(tag.text or "").strip() for tag in root if tag.tag in ("depend", "build_depend", "buildtool_depend")}


def _todo(output: str) -> str:
    failed = [line for line in output.splitlines() if line.startswith(("Failed   <<<", "Aborted  <<<"))]
    return f"mend {failed[0].split()[2]}, then run again" if failed else "mend what it names, then run again"
