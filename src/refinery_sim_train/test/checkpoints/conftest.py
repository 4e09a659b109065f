import pytest
import torch
from rl_games_checkpoint import N

from refinery_sim_train.checkpoints.contract import Contract


@pytest.fixture
def contract(task):
    return Contract.of(task, "rsl_rl")


@pytest.fixture
def observations():
    return 3 * torch.randn(7, 2, N, generator=torch.Generator().manual_seed(3))
