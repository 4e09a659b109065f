"""Several bundles at once: which one a request means, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from refinery.bundle.several import SEPARATOR, load_bundles, meant_by
from refinery.errors import BundleError
from refinery.paths import config_file
from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    """Two tasks that differ in their name only."""
    task = load_task(config_file("tasks", "peg_rect"))
    return [task, dataclasses.replace(task, name="another")]


@pytest.fixture(scope="module")
def paths(tasks: list[Task], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A bundle for each."""
    folder = tmp_path_factory.mktemp("several")
    return [tiny_bundle(folder / task.name, task) for task in tasks]


def test_bundles_load_in_the_order_given(paths: list[Path], tasks: list[Task]) -> None:
    bundles = load_bundles(SEPARATOR.join(map(str, paths)))
    assert [bundle.task for bundle in bundles] == tasks
    assert [bundle.task for bundle in load_bundles(str(paths[1]))] == tasks[1:]


def test_two_bundles_for_one_task_are_refused(paths: list[Path]) -> None:
    with pytest.raises(BundleError, match="the only bundle for the task 'peg_rect'"):
        load_bundles(f"{paths[0]}{SEPARATOR}{paths[0]}")


def test_a_missing_bundle_among_several_is_refused(paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere"):
        load_bundles(f"{paths[0]}{SEPARATOR}{tmp_path / 'nowhere'}")


def test_a_request_names_a_task_or_there_is_only_one(tasks: list[Task]) -> None:
    for task in tasks:
        assert meant_by(task.name, tasks) is task
        assert meant_by(task.hash(), tasks) is task
    assert meant_by("", tasks) is None
    assert meant_by("gear", tasks) is None
    assert meant_by("", tasks[:1]) is tasks[0]
