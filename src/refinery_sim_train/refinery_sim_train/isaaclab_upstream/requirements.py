"""What Isaac Lab's own tasks need that does not come with it, told in one line before anything is built."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from refinery.errors import ConfigError


def require_isaac_sim(task_id: str) -> None:
    """Check that Isaac Sim is installed, for tasks that run on PhysX only.

    Raises:
        ConfigError: It is not.
    """
    if importlib.util.find_spec("isaacsim") is None:
        hint = "install Isaac Sim beside Isaac Lab, or take Refinery-Factory-Franka with physics=newton_mjwarp"
        raise ConfigError(task_id, "", "Isaac Sim (this task runs on PhysX only)", "no module isaacsim", hint)


def require_assets(task_id: str, paths: Iterable[str]) -> None:
    """Check that files of NVIDIA's asset library are at hand; a server is asked for each until one is missing.

    Args:
        task_id: Whose files.
        paths: Files or addresses below Isaac Lab's asset root.

    Raises:
        ConfigError: One is not there; it names the root and how another one is set.
    """
    from isaaclab.utils.assets import NUCLEUS_ASSET_ROOT_DIR as ROOT
    from isaaclab.utils.assets import check_file_path

    for path in sorted(set(paths)):
        there = check_file_path(path) if "://" in path else os.path.exists(path)
        if not there:
            hint = "set ISAACSIM_ASSET_ROOT=<folder or address that has Isaac/IsaacLab/..., of Isaac Sim's assets 6.2>"
            raise ConfigError(task_id, "", path.removeprefix(f"{ROOT}/"), f"no such file under {ROOT}", hint)


def asset_paths(cfg: Any) -> set[str]:
    """Return every file of the asset library that a configuration names, at any depth."""
    from isaaclab.utils.assets import NUCLEUS_ASSET_ROOT_DIR as ROOT

    return {text for text in _texts(cfg.to_dict()) if text.startswith(f"{ROOT}/") and not text.endswith("/")}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)
