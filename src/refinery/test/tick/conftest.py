"""One good bundle for all tests of this folder."""

from __future__ import annotations

import os

import pytest

from refinery.bundle import Bundle, load_bundle
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery.tick import compiled

# It compares the compiled tick with the interpreted one, and runs the other tests of this folder with that.
collect_ignore = ["test_compiled.py"] if os.environ.get(compiled.PURE) else []


@pytest.fixture(scope="session")
def bundle(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose policy drives the plug straight home."""
    return load_bundle(tiny_bundle(tmp_path_factory.mktemp("bundles") / "servo", task))
