"""The same network in eager torch, which is what deploying it without ONNX would run."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.bench.interleaved import Prepare
from experiments.bench.networks import Network
from refinery.observation import OBSERVATION_SIZE


def torch_installed() -> bool:
    """Whether torch can be imported; the nodes do not need it."""
    return importlib.util.find_spec("torch") is not None


def build(network: Network) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the step of a network with an LSTM: a numpy observation in, a numpy action out, the state kept.

    Raises:
        ValueError: The network has no LSTM.
    """
    import torch

    if network.lstm is None:
        raise ValueError("expected a network with an LSTM")
    torch.set_num_threads(1)
    w, r, b = network.lstm
    lstm = torch.nn.LSTM(w.shape[1], r.shape[1])
    layers: list[Any] = []
    for weight, bias in network.layers:
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        _fill(linear.weight, weight)
        _fill(linear.bias, bias)
        layers += [linear, torch.nn.ELU()]
    mlp = torch.nn.Sequential(*layers[:-1])
    for parameter, value in zip(lstm.parameters(), (w, r, *np.split(b, 2)), strict=True):
        # ONNX has the gates in the order i o f c, torch i f c o.
        i, o, f, c = np.split(value, 4)
        _fill(parameter, np.concatenate([i, f, c, o]))
    state = (torch.zeros(1, 1, r.shape[1]), torch.zeros(1, 1, r.shape[1]))

    @torch.inference_mode()
    def step(observation: NDArray[np.float32]) -> NDArray[np.float32]:
        nonlocal state
        latent, state = lstm(torch.from_numpy(observation)[None], state)
        action: NDArray[np.float32] = torch.clamp(mlp(latent[0]), -1.0, 1.0).numpy()
        return action

    return step


def torch_step(network: Network) -> Prepare:
    """Return the steps of a network with an LSTM, to be timed."""
    step, observation = build(network), np.zeros((1, OBSERVATION_SIZE), np.float32)

    def run() -> None:
        step(observation)

    return lambda: run


def _fill(parameter: Any, value: NDArray[np.float32]) -> None:
    parameter.data = parameter.data.new_tensor(value)
