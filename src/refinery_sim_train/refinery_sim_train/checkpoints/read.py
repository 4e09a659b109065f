"""Read the actor out of a checkpoint file, without running anything that is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from refinery.errors import ConfigError
from refinery_sim_train.checkpoints.contract import Contract
from refinery_sim_train.checkpoints.network import Network, Parts

RSL_RL_EPS = 1e-2
"""What rsl_rl's normaliser adds to the standard deviation."""
RL_GAMES_EPS = 1e-5
"""What rl_games' normaliser adds to the variance."""
RL_GAMES_CLIP = 5.0
"""Largest magnitude that rl_games' normaliser lets through."""
_LAYER = re.compile(r"(\d+)\.weight")
Weights = dict[str, torch.Tensor]
Layer = tuple[torch.Tensor, torch.Tensor]
"""Weights and biases."""


def read_actor(file: Path, contract: Contract) -> Network:
    """Read an actor.

    Args:
        file: Checkpoint (``.pt`` of rsl_rl 5, ``.pth`` of rl_games).
        contract: What it is declared to be.

    Raises:
        ConfigError: The file is missing, not a checkpoint of that library, or of another network than declared.
    """
    content = _load(file)
    try:
        parts = _rsl_rl(content) if contract.library == "rsl_rl" else _rl_games(content)
        network = Network(parts, contract.activation)
    except _UnexpectedError as error:
        raise ConfigError(file, "", f"a checkpoint of {contract.library}", str(error)) from None
    except (KeyError, ValueError, RuntimeError) as error:
        cause = " ".join(f"{type(error).__name__} {error}".split())[:200]
        raise ConfigError(file, "", f"an actor of {contract.library} that can be read", cause) from None
    wrong = []
    if network.size != contract.observation_size:
        wrong.append(f"it takes {network.size} values, declared are {contract.observation_size}")
    if network.action_size != len(contract.action):
        wrong.append(f"it gives {network.action_size} values, declared are {len(contract.action)}")
    if (parts.mean is not None) != contract.normaliser:
        inside = "has" if parts.mean is not None else "has no"
        wrong.append(f"it {inside} normaliser, declared is normaliser: {str(contract.normaliser).lower()}")
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        wrong.append("it has weights that are not finite")
    if wrong:
        raise ConfigError(file, "", "the network that the contract declares", "; ".join(wrong))
    return network


class _UnexpectedError(Exception):
    """The file is of another kind."""


def _load(file: Path) -> Mapping[str, Any]:
    # What rl_games stores beside the weights, as plain data.
    scalar: Any = np.float64(0.0).__reduce__()[0]
    plain: list[Any] = [
        np.dtype,
        np.dtypes.Float32DType,
        np.dtypes.Float64DType,
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
    ]
    try:
        with torch.serialization.safe_globals(plain):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ConfigError(file, "", "a checkpoint", "nothing there") from None
    except Exception as error:
        cause = " ".join(str(error).split("\n")[0].split())[:160]
        hint = "code in a checkpoint is not run: store its state dicts alone"
        raise ConfigError(file, "", "a checkpoint that holds only weights and numbers", cause, hint) from None
    if not isinstance(content, Mapping):
        raise ConfigError(file, "", "a mapping of state dicts", type(content).__name__)
    return content


def _rsl_rl(content: Mapping[str, Any]) -> Parts:
    if "actor_state_dict" not in content:
        raise _UnexpectedError(f"{_listed(content)}, expected actor_state_dict, as rsl_rl 5 stores it")
    state: Weights = dict(content["actor_state_dict"])
    state.pop("obs_normalizer.count", None)
    mean, std = state.pop("obs_normalizer._mean", None), state.pop("obs_normalizer._std", None)
    state.pop("obs_normalizer._var", None)
    hidden = _take_layers(state, "mlp.")
    lstm = _take(state, "rnn.rnn.")
    _refuse(state, ("distribution.",))
    return Parts(
        mean=None if mean is None else mean.flatten().float(),
        scale=None if std is None else std.flatten().float() + RSL_RL_EPS,
        clip=0.0,
        hidden=hidden[:-1],
        output=hidden[-1],
        lstm=lstm,
    )


def _rl_games(content: Mapping[str, Any]) -> Parts:
    if "model" not in content or not isinstance(content["model"], Mapping):
        raise _UnexpectedError(f"{_listed(content)}, expected model")
    state: Weights = dict(content["model"])
    mean, variance = (state.pop(f"running_mean_std.running_{name}", None) for name in ("mean", "var"))
    state.pop("running_mean_std.count", None)
    actor = _take(state, "a2c_network.")
    hidden = _take_layers(actor, "actor_mlp.")
    lstm = _take(actor, "rnn.rnn.")
    norm = _take(actor, "layer_norm.")
    output = (actor.pop("mu.weight").float(), actor.pop("mu.bias").float())
    _refuse(actor, ("value.", "sigma", "critic_mlp."))
    _refuse(state, ("value_mean_std.",))
    return Parts(
        mean=None if mean is None else mean.float(),
        scale=None if variance is None else torch.sqrt(variance.float() + RL_GAMES_EPS),
        clip=RL_GAMES_CLIP if mean is not None else 0.0,
        hidden=hidden,
        output=output,
        lstm=lstm,
        lstm_first=_lstm_first(hidden, output, lstm),
        layer_norm=(norm["weight"], norm["bias"]) if norm else None,
    )


def _lstm_first(hidden: list[Layer], output: Layer, lstm: Weights) -> bool:
    """Whether the hidden layers take what the LSTM gives, and the output what they give."""
    if not lstm:
        return False
    units, observation = lstm["weight_hh_l0"].shape[1], lstm["weight_ih_l0"].shape[1]
    return output[0].shape[1] == hidden[-1][0].shape[0] and hidden[0][0].shape[1] in (units, units + observation)


def _take(state: Weights, prefix: str) -> Weights:
    """Take a part of the weights out of a state, float32."""
    names = [name for name in state if name.startswith(prefix)]
    return {name.removeprefix(prefix): state.pop(name).float() for name in names}


def _take_layers(state: Weights, prefix: str) -> list[Layer]:
    part = _take(state, prefix)
    indices = sorted(int(found.group(1)) for name in part if (found := _LAYER.fullmatch(name)))
    if not indices or any(part[f"{index}.weight"].dim() != 2 for index in indices):
        raise _UnexpectedError(f"no plain layers {prefix}0, {prefix}2, ...")
    layers = [(part.pop(f"{index}.weight"), part.pop(f"{index}.bias")) for index in indices]
    _refuse(part, ())
    return layers


def _refuse(state: Weights, ignored: tuple[str, ...]) -> None:
    """Refuse weights that would silently be left out."""
    left = sorted(name for name in state if not name.startswith(ignored or ("\0",)))
    if left:
        raise _UnexpectedError(f"weights of a network that is not known: {', '.join(left[:4])}")


def _listed(content: Mapping[str, Any]) -> str:
    return f"a mapping of {', '.join(sorted(map(str, content))[:6]) or 'nothing'}"
