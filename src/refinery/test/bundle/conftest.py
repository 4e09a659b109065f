"""A task and one good bundle for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle, with_grasps

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def task() -> Task:
    return with_grasps(load_task(REPOSITORY / "config" / "tasks" / "peg_rect.yaml"))


@pytest.fixture(scope="session")
def good_bundle(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle nobody changes."""
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "good", task)
