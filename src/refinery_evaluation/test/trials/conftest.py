"""Two bundles of one task, which differ in their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, task = tmp_path_factory.mktemp("bundles"), load_task(config_file("tasks", "peg_rect"))
    return {name: tiny_bundle(folder / name, task, name=name) for name in ("base", "refined")}
