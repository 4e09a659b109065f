"""The bundles of a sequence: where they are, and that each is for its step's task."""

from __future__ import annotations

from pathlib import Path

from refinery.bundled_task import load_bundled_task
from refinery.errors import ConfigError
from refinery.paths import share_dir
from refinery.sequence.sequence import Sequence
from refinery.task import Task


def shipped_bundles() -> Path:
    """Return the folder of the refined bundles that are shipped for the step tasks of the sequences."""
    return share_dir() / "policies" / "assembly"


def bundled_tasks(sequence: Sequence, folder: Path) -> dict[Path, Task]:
    """Find the bundle of every step and read its task.

    Args:
        sequence: The sequence.
        folder: What the steps' bundles are relative to; one that names none has the name of its task there.

    Returns:
        Tasks by the bundle's directory, each once, in the order of the steps.

    Raises:
        BundleError: There is no bundle, or it was edited.
        ConfigError: A bundle is for another task than its step, or for a part that is held otherwise.
    """
    found: dict[Path, Task] = {}
    for i, step in enumerate(sequence.steps):
        path = folder / (step.bundle or step.task)
        task = found[path] = load_bundled_task(path)
        if task.name != step.task:
            hint = f"it is the one in {path}"
            raise ConfigError(sequence.name, f"steps[{i}].bundle", f"a bundle for {step.task!r}", task.name, hint)
        try:
            step.grasp.check_hand(task.plug)
        except ConfigError as error:
            raise ConfigError(sequence.name, f"steps[{i}].grasp.{error.key}", error.expected, error.got) from None
    return found
