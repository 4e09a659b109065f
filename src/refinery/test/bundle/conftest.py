"""One good bundle for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinery.task import Task
from refinery.testing.bundles import tiny_bundle


@pytest.fixture(scope="session")
def good_bundle(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle nobody changes."""
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "good", task)
