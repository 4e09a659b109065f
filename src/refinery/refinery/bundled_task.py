"""The task inside a bundle, read without the rest of it, and whether another one is the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from refinery.config import from_mapping, to_mapping
from refinery.errors import BundleError, ConfigError
from refinery.paths import config_file
from refinery.task import Task, load_task

# Not from refinery.bundle, which imports ONNX Runtime: seconds for a node that runs no policy.
MANIFEST = "manifest.json"
"""The file that makes a directory a bundle."""
_SHOWN = 3
_DIGITS = 12
"""Of a hash, in messages."""


def load_bundled_task(bundle: Path) -> Task:
    """Return the task a bundle is for; the nodes that run the bundle check the rest of it.

    Args:
        bundle: The bundle's directory.

    Raises:
        BundleError: The manifest cannot be read, or its task is not the one that was exported.
    """
    path = bundle / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        raw, digest = manifest["task"], manifest["task_hash"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise BundleError(f"{path}: expected JSON with task and task_hash, got something else; export again") from None
    try:
        task = from_mapping(raw, Task, source=path, prefix="task")
    except ConfigError as error:
        raise BundleError(f"{error}; export the bundle again") from None
    if task.hash() != digest:
        raise BundleError(f"{path}: task_hash: expected {task.hash()}, got {digest!r}; the task was edited")
    return task


def named_task(name: str) -> Task:
    """Return the task that a name stands for.

    Args:
        name: A name in ``config/tasks``, a path to a YAML file, or a bundle's directory, for the task in it.

    Raises:
        RefineryError: There is none of that name, or it cannot be used.
    """
    if (Path(name) / MANIFEST).is_file():
        return load_bundled_task(Path(name))
    return load_task(config_file("tasks", name))


def check_same_task(given: Task, own: Task, source: str, owner: str) -> None:
    """Check that two tasks are the same, whatever they are called: a policy runs only what it was trained for.

    Args:
        given: What was asked for.
        own: What there is.
        source: Of the request, for errors.
        owner: What the own task belongs to, for errors.

    Raises:
        ConfigError: They are not; the message names both and the first keys that differ.
    """
    if given.hash() == own.hash():
        return
    differing = list(_differences(to_mapping(own), to_mapping(given), ""))
    more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
    raise ConfigError(
        source,
        "task",
        f"the task of {owner}, {_shown(own)}",
        _shown(given),
        f"they differ in {', '.join(differing[:_SHOWN])}{more}; leave the task out, or export a bundle for it",
    )


def _shown(task: Task) -> str:
    return f"{task.name} ({task.hash()[:_DIGITS]})"


def _differences(own: Any, given: Any, key: str) -> Iterator[str]:
    """Name the leaves that differ, with both values."""
    if isinstance(own, dict) and isinstance(given, dict):
        for name in {**own, **given}:
            yield from _differences(own.get(name), given.get(name), f"{key}.{name}" if key else name)
    elif own != given:
        yield f"{key} ({own!r} in the bundle, {given!r} in the task)"
