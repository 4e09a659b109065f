"""What is trained further acts as what was imported."""

import dataclasses

import pytest
import torch
from rl_games_checkpoint import rl_games_state

from refinery.errors import RefineryError
from refinery_sim_train.checkpoints.agent import as_agent
from refinery_sim_train.checkpoints.read import read_actor
from refinery_sim_train.learn.agent import Agent


def read(contract, tmp_path, **kind):
    torch.save({"model": rl_games_state(**kind)}, tmp_path / "policy.pth")
    return read_actor(tmp_path / "policy.pth", dataclasses.replace(contract, library="rl_games"))


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"lstm": "first", "layers": 1, "layer_norm": False},
        {"lstm": "first", "layers": 1, "layer_norm": False, "joined": False},
    ],
)
def test_its_actions_are_the_same_before_and_after_storing(kind, contract, observations, tmp_path):
    network = read(contract, tmp_path, **kind)
    as_agent(network, contract.trained_with()).save(tmp_path / "weights.npz")
    agent = Agent.load(tmp_path / "weights.npz")
    assert torch.allclose(agent.act_sequences(observations), network(observations)[0], atol=1e-5)
    assert agent.trained_with == contract.trained_with()


def test_what_cannot_be_trained_further_is_listed(contract, tmp_path):
    network = read(contract, tmp_path, lstm="first", layers=2)
    with pytest.raises(RefineryError, match="2 layers instead of one, a layer normalisation"):
        as_agent(network, contract.trained_with())
    network = read(contract, tmp_path, lstm="last", layers=1, layer_norm=False)
    with pytest.raises(RefineryError, match="LSTM after the hidden layers"):
        as_agent(network, contract.trained_with())
