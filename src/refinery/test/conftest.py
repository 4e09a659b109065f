"""The task that most tests of the core use."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinery.task import Task, load_task
from refinery.testing.bundles import with_grasps

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def task() -> Task:
    """The shipped task with grasps that vary, so that every test meets them."""
    return with_grasps(load_task(REPOSITORY / "config" / "tasks" / "peg_rect.yaml"))
