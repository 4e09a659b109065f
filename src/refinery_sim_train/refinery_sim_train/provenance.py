"""Provenance of a result: revision, command, date, machine and library versions."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from refinery.processor import processor

LIBRARIES = ("mujoco", "numpy", "scipy", "scikit-learn", "torch", "rsl-rl-lib", "onnx", "onnxruntime")
"""Libraries whose version can change a result."""


def git_revision() -> tuple[str, bool]:
    """Return the revision of the working tree and whether it had changes; ``("unknown", False)`` outside git."""
    here = Path(__file__).resolve().parent
    try:
        return _git(here, "rev-parse", "HEAD"), bool(_git(here, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return "unknown", False


def _git(folder: Path, *args: str) -> str:
    command = ["git", "-C", str(folder), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


def machine() -> str:
    """One line about the machine: processors, architecture, system."""
    system = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({processor()}), {system}"


def typed_command() -> str:
    """Return the command of this process as one would type it elsewhere."""
    program = Path(sys.argv[0]).name
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if program == "__main__.py" and spec is not None:
        program = f"python -m {spec.parent}"
    return " ".join([program, *typed_words()])


def typed_words() -> list[str]:
    """Return this process's arguments without absolute paths.

    A path below the working directory is told from there, another one by its name.
    """
    return [_portable(word) for word in sys.argv[1:]]


def _portable(word: str) -> str:
    path = Path(word)
    if not path.is_absolute():
        return word
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name


def provenance(*, seed: int, env_steps: int) -> dict[str, Any]:
    """Collect the provenance of a result.

    Args:
        seed: The run's seed.
        env_steps: Environment steps of training that went in.

    Returns:
        A JSON-ready mapping.
    """
    revision, dirty = git_revision()
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "git_revision": revision,
        "dirty": dirty,
        "command": typed_command(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions,
        "seed": seed,
        "env_steps": env_steps,
    }
