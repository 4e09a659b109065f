"""One bench for all tests of a module: to bring it up takes longer than an injection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from experiments.faults.fault_bench import running
from experiments.faults.injecting import Injector


@pytest.fixture(scope="module")
def injector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Injector]:
    """Twin and policy node with their own thresholds, in real time; no process is left after the module."""
    with running(tmp_path_factory.mktemp("faults"), factor=1.0) as (bench, client):
        yield Injector(bench, client)
        left = bench.close()
    assert left == 0, bench.log()
