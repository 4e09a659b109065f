"""Makes .venv-isaaclab, the Python 3.12 environment of the backend ``isaaclab``: ``make isaaclab`` runs this file.

Standard library only. What is done already is not done again; packages that an interrupted run installed are kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from console import Console, SetupError
from host import clean_environment
from stamps import Stamps, content_hash

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
SOURCES = ("refinery", "refinery_sim")
"""Packages on the environment's path; the one that Isaac Lab finds tasks in is installed as editable."""
COST = "Isaac Lab 3.0.0 takes 8 GB of disk and, by the network, 10 to 30 minutes; an interrupted run is resumed"


class IsaacLab:
    """The environment.

    Args:
        python: Python 3.12.
        console: Shows the steps.
    """

    def __init__(self, python: str, console: Console) -> None:
        self._base, self._console = python, console
        self._folder = ROOT / ".venv-isaaclab"
        self._python = self._folder / "bin" / "python"
        self._stamps = Stamps(self._folder / ".refinery")

    def make(self) -> None:
        """Do what is left to do."""
        files = [REQUIREMENTS / name for name in ("isaaclab.txt", "isaaclab_constraints.txt", "nodeps.txt")]
        wanted = content_hash(ROOT, [*files, ROOT / "src" / "refinery_sim_train" / "setup.py"], str(ROOT))
        if self._stamps.read("packages") == wanted and self._python.exists():
            return
        print(f"Making {self._folder} ({COST})", flush=True)
        if not self._python.exists():
            self._console.step("virtual environment", lambda: self._run([self._base, "-m", "venv", self._folder]))
        self._console.step("Isaac Lab", lambda: self._pip("-c", files[1], "-r", files[0]))
        self._console.step("arm model and statistics", lambda: self._pip("--no-deps", "-r", files[2]))
        self._console.step("this workspace", self._tie)
        self._stamps.write("packages", wanted)

    def _tie(self) -> None:
        """Put the sources on the path, and the one with tasks among the installed packages."""
        told: list[str | Path] = [self._python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        packages = Path(subprocess.run(told, check=True, capture_output=True, text=True).stdout.strip())
        lines = "".join(f"{ROOT / 'src' / name}\n" for name in SOURCES)
        (packages / "refinery.pth").write_text(lines, encoding="utf-8")
        self._pip("--no-deps", "--no-build-isolation", "-e", ROOT / "src" / "refinery_sim_train")

    def _pip(self, *words: str | Path) -> None:
        install: list[str | Path] = [self._python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        self._run([*install, "--progress-bar", "off", *words])

    def _run(self, command: list[str | Path]) -> None:
        todo = "mend what it names (8 GB of free disk, a package index within reach), then run again: it resumes"
        self._console.run(command, env=clean_environment(os.environ, ROOT), cwd=ROOT, todo=lambda output: todo)


def python_3_12() -> str:
    """Return the Python that Isaac Lab 3.0 runs on.

    Raises:
        SetupError: There is none.
    """
    name = os.environ.get("PYTHON312", "python3.12")
    found = shutil.which(name)
    asked = [found or name, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    try:
        version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        version = "none that runs"
    if version != "3.12":
        raise SetupError(
            f"Isaac Lab 3.0 needs Python 3.12 with venv, got {version} by the name {name}",
            "sudo apt-get install -y python3.12 python3.12-venv, or name it: PYTHON312=<its path> make isaaclab",
        )
    return str(found)


def main() -> int:
    """Make the environment and turn what goes wrong into a sentence and an exit code."""
    try:
        IsaacLab(python_3_12(), Console(ROOT / "log" / "setup_isaaclab.log")).make()
    except SetupError as error:
        print(f"Set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up interrupted; the same command resumes it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
