"""A task and a bundle for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinery.bundle import Bundle, load_bundle
from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle, with_grasps

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def task() -> Task:
    """The shipped task with grasps that vary, so that every test meets them."""
    return with_grasps(load_task(REPOSITORY / "config" / "tasks" / "peg_rect.yaml"))


@pytest.fixture(scope="session")
def bundle(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose policy drives the plug straight home."""
    return load_bundle(tiny_bundle(tmp_path_factory.mktemp("bundles") / "servo", task))
