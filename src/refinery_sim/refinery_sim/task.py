"""Reading tasks for whoever builds their cell: a section that makes no shape is refused here, with file and key."""

from __future__ import annotations

from pathlib import Path

import refinery.bundled_task
import refinery.task
from refinery.bundled_task import MANIFEST
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.task import Task
from refinery_sim.section import section_shape


def load_task(path: Path) -> Task:
    """Read a task file and check the shape of its plug's section.

    Args:
        path: ``config/tasks/<name>.yaml``.

    Raises:
        ConfigError: With the file, the key, what was expected and what was found.
    """
    return check_task(refinery.task.load_task(path), path)


def named_task(name: str) -> Task:
    """Return the task that a name stands for, the shape of its plug's section checked.

    Args:
        name: A name in ``config/tasks``, a path to a YAML file, or a bundle's directory, for the task in it.

    Raises:
        RefineryError: There is none of that name, or it cannot be used.
    """
    manifest = Path(name) / MANIFEST
    source = manifest if manifest.is_file() else config_file("tasks", name)
    return check_task(refinery.bundled_task.named_task(name), source)


def check_task(task: Task, source: object) -> Task:
    """Check that the sections of a task's plug and solids make shapes.

    Args:
        task: The task.
        source: Named in errors: its file.

    Returns:
        The task.

    Raises:
        ConfigError: With the source, the key, what was expected and what was found.
    """
    try:
        section_shape(task.plug.section)
    except ConfigError as error:
        raise ConfigError(source, f"plug.section.{error.key}", error.expected, error.got) from None
    for i, solid in enumerate(task.socket.solids):
        try:
            section_shape(solid.section)
        except ConfigError as error:
            key = f"socket.solids[{i}].section.{error.key}"
            raise ConfigError(source, key, error.expected, error.got) from None
    return task
