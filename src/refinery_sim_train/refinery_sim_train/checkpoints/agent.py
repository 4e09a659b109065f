"""An imported network as weights of this package, so that ``refine`` can train it further."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from refinery.errors import RefineryError
from refinery.trained_with import TrainedWith
from refinery_sim_train.checkpoints.network import Network
from refinery_sim_train.learn.agent import Agent, AgentSpec


def as_agent(network: Network, trained_with: TrainedWith, action_std: float = AgentSpec.action_std) -> Agent:
    """Convert a network to an agent with the same mean actions and a critic that has not learnt anything.

    Args:
        network: Of this version's observation and action.
        trained_with: What it was trained with.
        action_std: Standard deviation of the exploration noise to train with, share of full action.

    Raises:
        RefineryError: It has what the networks here do not; every such thing is named.
    """
    if unlike := list(_unlike(network)):
        raise RefineryError(f"the policy cannot be trained further here, but shipped: it has {', '.join(unlike)}")
    layers = [layer for layer in network.hidden if isinstance(layer, nn.Linear)]
    spec = AgentSpec(
        hidden=tuple(layer.out_features for layer in layers),
        lstm=network.units,
        observation_clip=network.clip,
        action_std=action_std,
    )
    agent = Agent(spec, seed=0)
    state = agent.actor.state_dict()
    eps = agent.actor.obs_normalizer.eps
    state["obs_normalizer._mean"], state["obs_normalizer._std"] = network.mean[None], network.scale[None] - eps
    state["obs_normalizer._var"] = state["obs_normalizer._std"] ** 2
    for index, layer in enumerate((*layers, network.output)):
        state[f"mlp.{2 * index}.weight"], state[f"mlp.{2 * index}.bias"] = layer.weight, layer.bias
    if network.units:
        # Here the hidden layers see the observation before the memory; there after it, or not at all.
        memory, seen = layers[0].weight[:, : network.units], layers[0].weight[:, network.units :]
        seen = seen if seen.shape[1] else torch.zeros(len(memory), network.size)
        state["mlp.0.weight"] = torch.cat([seen, memory], dim=1)
        state |= {f"rnn.rnn.{name}": value for name, value in network.lstm.state_dict().items()}
    agent.actor.load_state_dict(state)
    agent.trained_with = trained_with
    return agent


def _unlike(network: Network) -> Iterator[str]:
    if network.activation != "elu":
        yield f"{network.activation} instead of elu"
    if network.layers > 1:
        yield f"an LSTM of {network.layers} layers instead of one"
    if network.units and not network.lstm_first:
        yield "its LSTM after the hidden layers"
    if not isinstance(network.layer_norm, nn.Identity):
        yield "a layer normalisation"
