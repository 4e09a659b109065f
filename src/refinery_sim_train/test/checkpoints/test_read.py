"""The actor that is read is the one that the library runs."""

import dataclasses
import pickle

import numpy as np
import pytest
import torch
from rl_games_checkpoint import HIDDEN, UNITS, N, rl_games_state
from rsl_rl.models import MLPModel, RNNModel
from tensordict import TensorDict

from refinery.errors import ConfigError
from refinery_sim_train.checkpoints.read import read_actor

NOISE = {"class_name": "GaussianDistribution", "init_std": 0.3}


def rsl_rl_actor(kind, **more):
    torch.manual_seed(2)
    empty = TensorDict({"policy": torch.zeros(1, N)}, batch_size=[1])
    actor = kind(
        empty, {"actor": ["policy"]}, "actor", 6, list(HIDDEN), obs_normalization=True, distribution_cfg=NOISE, **more
    )
    actor.train()
    actor.obs_normalizer.update(5 + 2 * torch.randn(64, N))
    return actor.eval()


def stored(actor, file):
    torch.save({"actor_state_dict": actor.state_dict(), "critic_state_dict": {}, "iter": 3, "infos": None}, file)
    return file


def by_the_library(actor, observations):
    """Mean actions of rsl_rl's own model, step by step."""
    actor.reset()
    with torch.inference_mode():
        return torch.stack([actor(TensorDict({"policy": row}, batch_size=[len(row)])) for row in observations])


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (MLPModel, {}),
        (MLPModel, {"activation": "relu"}),
        (RNNModel, {"rnn_hidden_dim": UNITS}),
        (RNNModel, {"rnn_hidden_dim": UNITS, "rnn_num_layers": 2}),
    ],
)
def test_rsl_rl(kind, more, contract, observations, tmp_path):
    actor = rsl_rl_actor(kind, **more)
    contract = dataclasses.replace(contract, activation=more.get("activation", "elu"))
    network = read_actor(stored(actor, tmp_path / "model.pt"), contract)
    assert torch.allclose(network(observations)[0], by_the_library(actor, observations), atol=1e-6)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(state, lstm, observations):
    """rl_games' forward pass in numpy, from its description: one step after the other, one layer after the other."""
    weights = {name.removeprefix("a2c_network."): value.double().numpy() for name, value in state.items()}
    mean, variance = (weights[f"running_mean_std.running_{name}"] for name in ("mean", "var"))
    layers = len([name for name in weights if name.startswith("rnn.rnn.weight_ih")])
    h, c = (np.zeros((layers, observations.shape[1], UNITS)) for _ in range(2))

    def remember(x):
        for k in range(layers):
            gates = x @ weights[f"rnn.rnn.weight_ih_l{k}"].T + weights[f"rnn.rnn.bias_ih_l{k}"]
            gates += h[k] @ weights[f"rnn.rnn.weight_hh_l{k}"].T + weights[f"rnn.rnn.bias_hh_l{k}"]
            enter, keep, new, leave = np.split(gates, 4, axis=1)
            c[k] = sigmoid(keep) * c[k] + sigmoid(enter) * np.tanh(new)
            x = h[k] = sigmoid(leave) * np.tanh(c[k])
        if "layer_norm.weight" in weights:
            x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
            x = x * weights["layer_norm.weight"] + weights["layer_norm.bias"]
        return x

    def hidden(x):
        for k in (0, 2):
            x = elu(x @ weights[f"actor_mlp.{k}.weight"].T + weights[f"actor_mlp.{k}.bias"])
        return x

    actions = []
    for row in observations.double().numpy():
        x = seen = np.clip((row - mean) / np.sqrt(variance + 1e-5), -5, 5)
        if lstm == "first":
            x = hidden(
                np.hstack([remember(x), seen]) if weights["actor_mlp.0.weight"].shape[1] > UNITS else remember(x)
            )
        elif lstm == "last":
            x = hidden(x)
            x = remember(np.hstack([x, seen]) if weights["rnn.rnn.weight_ih_l0"].shape[1] > HIDDEN[-1] else x)
        else:
            x = hidden(x)
        actions.append(x @ weights["mu.weight"].T + weights["mu.bias"])
    return np.stack(actions)


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize(("lstm", "layers", "layer_norm"), [("", 0, False), ("first", 2, True), ("last", 1, False)])
def test_rl_games(lstm, layers, layer_norm, joined, contract, observations, tmp_path):
    state = rl_games_state(lstm=lstm, layers=layers, layer_norm=layer_norm, joined=joined)
    torch.save({"model": state, "epoch": 7, "last_mean_rewards": np.float32(3.0)}, tmp_path / "policy.pth")
    network = read_actor(tmp_path / "policy.pth", dataclasses.replace(contract, library="rl_games"))
    expected = by_hand(state, lstm, observations)
    assert np.abs(network(observations)[0].numpy() - expected).max() < 1e-4
    assert np.abs(expected).max() > 0.5


def test_code_in_a_checkpoint_is_not_run(contract, tmp_path):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    file = tmp_path / "model.pt"
    file.write_bytes(pickle.dumps({"actor_state_dict": Evil()}, protocol=2))
    with pytest.raises(ConfigError, match="only weights"):
        read_actor(file, contract)
    torch.save({"actor_state_dict": Evil()}, file)
    with pytest.raises(ConfigError, match="code in a checkpoint is not run"):
        read_actor(file, contract)
    assert not marker.exists()


def damaged(state):
    state["mlp.0.weight"][0, 0] = float("nan")


def narrower(state):
    state["mlp.0.weight"] = state["mlp.0.weight"][:, :20].clone()


def without_normaliser(state):
    for name in ("_mean", "_std", "_var", "count"):
        del state[f"obs_normalizer.{name}"]


def with_a_gate(state):
    state["gate.weight"] = torch.zeros(3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (damaged, "not finite"),
        (narrower, "it takes 20 values, declared are 28"),
        (without_normaliser, "it has no normaliser, declared is normaliser: true"),
        (with_a_gate, "gate.weight"),
        (lambda state: state.pop("mlp.0.bias"), "mlp|bias"),
    ],
)
def test_another_network_is_named(change, words, contract, tmp_path):
    actor = rsl_rl_actor(MLPModel)
    state = actor.state_dict()
    change(state)
    if change is narrower:
        for name in ("_mean", "_std", "_var"):
            state[f"obs_normalizer.{name}"] = state[f"obs_normalizer.{name}"][:, :20].clone()
    torch.save({"actor_state_dict": state}, tmp_path / "model.pt")
    with pytest.raises(ConfigError, match=words):
        read_actor(tmp_path / "model.pt", contract)


def test_a_checkpoint_of_the_other_library_is_named(contract, tmp_path):
    torch.save({"model": rl_games_state()}, tmp_path / "policy.pth")
    with pytest.raises(ConfigError, match=r"a mapping of model.*actor_state_dict"):
        read_actor(tmp_path / "policy.pth", contract)
    with pytest.raises(ConfigError, match="nothing there"):
        read_actor(tmp_path / "none.pth", contract)
