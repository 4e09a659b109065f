"""Where configuration and shipped policies are: the source tree while developing, the install space otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from refinery.errors import ConfigError, NotReadyError


def share_dir() -> Path:
    """Return the directory that holds ``config/`` (and ``policies/``).

    ``REFINERY_SHARE`` wins; then the source tree this file is in; then the ament index.

    Raises:
        NotReadyError: None of them exists.
    """
    named = os.environ.get("REFINERY_SHARE")
    if named:
        return Path(named)
    source = Path(__file__).resolve().parents[3]
    if (source / "config" / "tasks").is_dir():
        return source
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory("refinery"))
    except Exception:
        raise NotReadyError(
            f"no config/ beside {source} and no installed package 'refinery': run `make build` or set REFINERY_SHARE"
        ) from None


def config_file(kind: str, name: str) -> Path:
    """Resolve a name or path to a YAML file.

    Args:
        kind: Folder of config/: tasks, robots, refine, sequences.
        name: A bare name (``peg_rect``), of a file in a folder below too, or a path ending in .yaml.

    Returns:
        The file.

    Raises:
        ConfigError: There is no such file; the message lists the names there are.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else share_dir() / "config" / kind / f"{name}.yaml"
    below = sorted(path.parent.glob(f"*/{path.name}")) if name.isidentifier() else []
    if len(below) == 1 and not path.is_file():
        path = below[0]
    if not path.is_file():
        known = sorted(p.stem for p in (share_dir() / "config" / kind).glob("*.yaml"))
        raise ConfigError(path, "", f"one of the {kind} {', '.join(known)}, or a path to a .yaml file", name)
    return path
