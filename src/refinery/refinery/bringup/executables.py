"""Finding an executable of a ROS package, as ``ros2 run`` does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from refinery.errors import NotReadyError

_INDEX = Path("share/ament_index/resource_index/packages")


def find_executable(package: str, executable: str, env: Mapping[str, str]) -> Path:
    """Return the path of an executable.

    Args:
        package: ROS package.
        executable: Name in its lib folder.
        env: Environment whose AMENT_PREFIX_PATH is searched.

    Raises:
        NotReadyError: There is no such package or executable; the message says what there is.
    """
    prefixes = [Path(prefix) for prefix in env.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    for prefix in prefixes:
        if not (prefix / _INDEX / package).exists():
            continue
        folder = prefix / "lib" / package
        path = folder / executable
        if path.is_file() and os.access(path, os.X_OK):
            return path
        there = sorted(item.name for item in folder.iterdir() if item.is_file()) if folder.is_dir() else []
        raise NotReadyError(f"package {package} has no executable {executable!r}; it has: {', '.join(there) or 'none'}")
    where = ", ".join(map(str, prefixes)) or "AMENT_PREFIX_PATH is empty"
    raise NotReadyError(f"package {package} not found ({where}): run `make build` and start this through tools/env")
