"""Which task a picture shows: that of the running cell's bundle, whatever is named beside it."""

import dataclasses
from pathlib import Path

import pytest

from refinery.errors import ConfigError
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery_twin.picture import checked_task


@pytest.fixture
def bundle(task: Task, tmp_path: Path) -> Path:
    return tiny_bundle(tmp_path / "tiny", task)


def test_the_bundle_s_task_is_drawn_and_another_one_is_refused(task: Task, bundle: Path) -> None:
    assert checked_task(None, bundle).hash() == task.hash() == checked_task(task, bundle).hash()
    other = dataclasses.replace(task, description="the same name, another task")
    with pytest.raises(ConfigError, match=r"they differ in description"):
        checked_task(other, bundle)


def test_of_a_bundle_on_another_machine_the_task_has_to_be_named(task: Task) -> None:
    assert checked_task(task, Path("/nowhere")) is task
    with pytest.raises(ConfigError, match="not on this machine"):
        checked_task(None, Path("/nowhere"))
