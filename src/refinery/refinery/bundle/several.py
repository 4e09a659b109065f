"""Several bundles at once, one for each task, of which a goal names the one it needs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from refinery.bundle.reader import Bundle, load_bundle
from refinery.errors import BundleError
from refinery.task import Task

SEPARATOR = os.pathsep
"""Between the directories in one text, as in a PATH."""


def load_bundles(paths: str) -> tuple[Bundle, ...]:
    """Load and check the bundles that a parameter names.

    Args:
        paths: Their directories, separated by :data:`SEPARATOR`.

    Returns:
        The bundles in that order, at least one.

    Raises:
        BundleError: One is not usable, or two are for tasks of one name.
    """
    bundles = tuple(load_bundle(Path(path)) for path in paths.split(SEPARATOR))
    first: dict[str, Bundle] = {}
    for bundle in bundles:
        other = first.setdefault(bundle.task.name, bundle)
        if other is not bundle:
            raise BundleError(
                f"{bundle.path}: expected the only bundle for the task {bundle.task.name!r}, got one beside "
                f"{other.path}; leave one of them out"
            )
    return bundles


def meant_by(asked: str, tasks: Iterable[Task]) -> Task | None:
    """Return the task that a request is for, or None.

    Args:
        asked: Its name or hash; empty: the only one.
        tasks: Those that are loaded.
    """
    found = [task for task in tasks if task.is_meant_by(asked)]
    return found[0] if len(found) == 1 else None


def listed(tasks: Collection[Task]) -> str:
    """Name the loaded tasks, for the message to a request that is for none of them."""
    if len(tasks) == 1:
        return "".join(f"{task.name!r} ({task.hash()}), which the bundle solves" for task in tasks)
    return f"one of {', '.join(repr(task.name) for task in tasks)}, which the bundles solve"
