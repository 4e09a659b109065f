"""What the machine must bring along, and whether a ROS 2 is sourced."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from console import SetupError

PYTHONS = ((3, 11), (3, 12))
"""Versions the pinned packages exist for."""
DISTRO = "jazzy"
"""The ROS 2 this workspace is written for."""
TOOLS = {"gcc": "gcc", "g++": "g++", "cmake": "cmake", "make": "make"}
"""Programs needed, and the Debian package of each."""
_PATHS = ("PATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
_OURS = ("VIRTUAL_ENV", "REFINERY_ENV", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")


def base_python() -> Path:
    """Return the interpreter that runs the set-up, looked through a virtual environment it may be part of."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def clean_environment(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return an environment without what ``tools/env`` or an activated ``.venv`` of this workspace put in.

    Args:
        environ: The present environment.
        root: The workspace.
    """
    env = {name: value for name, value in environ.items() if name not in _OURS}
    inside = environ.get("REFINERY_ENV") == str(root)
    for name in _PATHS:
        if name in env:
            parts = [part for part in env[name].split(os.pathsep) if part and not part.startswith(f"{root}{os.sep}")]
            env[name] = os.pathsep.join(parts)
            if not env[name]:
                del env[name]
    if inside and "AMENT_PREFIX_PATH" not in env:
        # ROS_DISTRO came from tools/env too, not from a system ROS 2.
        env.pop("ROS_DISTRO", None)
    return env


def missing_packages(python_version: tuple[int, int], include: Path) -> list[str]:
    """Return the Debian packages of what is not there.

    Args:
        python_version: Of the interpreter, to name its packages.
        include: Where its C headers should be.
    """
    packages = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    dotted = "{}.{}".format(*python_version)
    # Debian splits venv's pip off into a package of its own: without it this import fails.
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        packages.append(f"python{dotted}-venv")
    if not (include / "Python.h").is_file():
        packages.append(f"python{dotted}-dev")
    return packages


def check_host() -> None:
    """Check interpreter and programs.

    Raises:
        SetupError: Naming everything that is missing and the line that installs it.
    """
    version = (sys.version_info.major, sys.version_info.minor)
    if version not in PYTHONS:
        wanted = " or ".join("{}.{}".format(*python) for python in PYTHONS)
        raise SetupError(
            f"expected Python {wanted}, got {version[0]}.{version[1]} ({base_python()})",
            "name another interpreter: `make build PYTHON=python3.11`",
        )
    missing = missing_packages(version, Path(sysconfig.get_paths()["include"]))
    if missing:
        raise SetupError(
            f"missing on this machine: {', '.join(missing)}",
            f"sudo apt-get install -y {' '.join(missing)}",
        )


def ros_mode(env: Mapping[str, str]) -> str:
    """Return ``system`` where ROS 2 Jazzy is sourced and ``wheels`` where no ROS 2 is.

    Args:
        env: A clean environment (:func:`clean_environment`).

    Raises:
        SetupError: Another ROS 2 is sourced, or Jazzy is not usable from this Python.
    """
    distro = env.get("ROS_DISTRO", "")
    if not distro:
        return "wheels"
    if distro != DISTRO or not env.get("AMENT_PREFIX_PATH"):
        raise SetupError(
            f"expected ROS 2 {DISTRO} or none, got ROS_DISTRO={distro} with AMENT_PREFIX_PATH="
            f"{env.get('AMENT_PREFIX_PATH', '(unset)')}",
            f"source /opt/ros/{DISTRO}/setup.bash, or `unset ROS_DISTRO` to use the wheels",
        )
    probe = subprocess.run([str(base_python()), "-c", "import rclpy"], env=dict(env), capture_output=True, text=True)
    if probe.returncode != 0:
        reason = (probe.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SetupError(
            f"ROS 2 {DISTRO} is sourced, but {base_python()} cannot import rclpy: {reason}",
            "use the Python that ROS was built for: `make build PYTHON=/usr/bin/python3`",
        )
    return "system"
