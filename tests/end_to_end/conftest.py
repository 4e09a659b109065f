"""A bundle of the shipped base policy and the whole cell brought up on the twin, on a ROS domain of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from end_to_end.running_cell import running_cell
from refinery_evaluation.trials.client import TrialClient
from refinery_ros.testing.graph import own_domain
from refinery_sim_train.cli.export import Args, export

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def ros_domain() -> Iterator[None]:
    """A ROS domain nobody else on this machine uses, for this process and its children."""
    with own_domain():
        yield


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped base policy, exported by the real command."""
    return export(Args(preset="smoke", out=tmp_path_factory.mktemp("export"))).bundle


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the policy node writes the ticks of every insertion."""
    return tmp_path_factory.mktemp("records")


@pytest.fixture(scope="module")
def client(bundle: Path, records: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialClient]:
    """A client of the cell: twin, sampler and policy node, all real, at up to twice real time."""
    with running_cell(bundle, records, tmp_path_factory.mktemp("logs")) as client:
        yield client
