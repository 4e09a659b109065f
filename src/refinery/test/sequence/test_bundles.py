"""Every shipped sequence finds a shipped bundle for each of its steps, made for that very task."""

from __future__ import annotations

import pytest

from refinery.bundled_task import named_task
from refinery.paths import share_dir
from refinery.sequence.bundles import bundled_tasks, shipped_bundles
from refinery.sequence.sequence import load_sequence

NAMES = sorted(path.stem for path in (share_dir() / "config" / "sequences").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_sequence_has_shipped_bundles_for_its_tasks(name: str) -> None:
    sequence = load_sequence(name)
    tasks = bundled_tasks(sequence, shipped_bundles())
    assert {task.name for task in tasks.values()} == {step.task for step in sequence.steps}
    assert all(task.hash() == named_task(task.name).hash() for task in tasks.values())
