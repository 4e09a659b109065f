"""The network of an imported policy: normaliser, hidden layers and LSTM in the orders that the libraries have."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

Memory = tuple[torch.Tensor, torch.Tensor]
"""State h, c of an LSTM, each of shape (layers, B, units)."""
_ACTIVATIONS: dict[str, type[nn.Module]] = {"elu": nn.ELU, "relu": nn.ReLU, "tanh": nn.Tanh, "selu": nn.SELU}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Weights of an actor as plain tensors, float32."""

    mean: torch.Tensor | None
    """Mean that observations are normalised by, shape (N,); None: they are not."""
    scale: torch.Tensor | None
    """What they are divided by then, shape (N,)."""
    clip: float
    """Largest magnitude of a normalised observation; 0 is none."""
    hidden: list[tuple[torch.Tensor, torch.Tensor]]
    """Weights and biases of the hidden layers."""
    output: tuple[torch.Tensor, torch.Tensor]
    """Weights and biases of the layer that gives the mean action."""
    lstm: dict[str, torch.Tensor] = field(default_factory=dict)
    """Weights of an LSTM by the names of ``torch.nn.LSTM``; empty is none."""
    lstm_first: bool = True
    """Whether the LSTM comes before the hidden layers."""
    layer_norm: tuple[torch.Tensor, torch.Tensor] | None = None
    """Weights and biases of the layer normalisation after the LSTM."""


class Network(nn.Module):
    """Mean actions of an imported actor.

    The inputs of a stage may be joined by the observation, as the libraries do: told by the widths of the weights.

    Args:
        parts: The weights.
        activation: Of the hidden layers.

    Raises:
        ValueError: The widths do not fit each other.
    """

    mean: torch.Tensor
    """Mean that observations are normalised by, shape (N,)."""
    scale: torch.Tensor
    """What they are divided by then, shape (N,)."""

    def __init__(self, parts: Parts, activation: str) -> None:
        super().__init__()
        first = parts.hidden[0][0]
        self.layers = len([name for name in parts.lstm if name.startswith("weight_ih_l")])
        self.units = parts.lstm["weight_hh_l0"].shape[1] if parts.lstm else 0
        lstm_in = parts.lstm["weight_ih_l0"].shape[1] if parts.lstm else 0
        self.lstm_first = parts.lstm_first
        """Whether an LSTM comes before the hidden layers."""
        self.size = lstm_in if parts.lstm and parts.lstm_first else first.shape[1]
        """Width N of the observation."""
        self.action_size = parts.output[0].shape[0]
        """Width of the action."""
        normalised = parts.mean is not None and parts.scale is not None
        self.register_buffer("mean", parts.mean if normalised else torch.zeros(self.size))
        self.register_buffer("scale", parts.scale if normalised else torch.ones(self.size))
        self.clip = parts.clip
        """Largest magnitude of a normalised observation; 0 is none."""
        self.activation = activation
        """Activation of the hidden layers."""
        steps: list[nn.Module] = []
        for weight, bias in parts.hidden:
            steps += [_linear(weight, bias), _ACTIVATIONS[activation]()]
        self.hidden = nn.Sequential(*steps)
        self.output = _linear(*parts.output)
        last = parts.hidden[-1][0].shape[0]
        if parts.lstm:
            self.lstm = nn.LSTM(lstm_in, self.units, self.layers)
            self.lstm.load_state_dict(parts.lstm)
        self.layer_norm: nn.Module = nn.Identity()
        if parts.layer_norm is not None:
            norm = nn.LayerNorm(self.units)
            norm.load_state_dict({"weight": parts.layer_norm[0], "bias": parts.layer_norm[1]})
            self.layer_norm = norm
        before = self.units if parts.lstm and parts.lstm_first else self.size
        self._join_hidden = parts.lstm_first and bool(parts.lstm) and _joined(first.shape[1], before, self.size)
        self._join_lstm = not parts.lstm_first and bool(parts.lstm) and _joined(lstm_in, last, self.size)
        out = self.units if parts.lstm and not parts.lstm_first else last
        self._join_output = _joined(parts.output[0].shape[1], out, self.size)
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def forward(self, observations: torch.Tensor, memory: Memory | None = None) -> tuple[torch.Tensor, Memory | None]:
        """Mean actions (T, B, 6) for observations (T, B, N) one after the other, and the memory after the last."""
        normalised = (observations - self.mean) / self.scale
        if self.clip:
            normalised = torch.clamp(normalised, -self.clip, self.clip)
        x = normalised
        if self.units and self.lstm_first:
            x, memory = self._remember(x, memory)
        x = self.hidden(torch.cat([x, normalised], dim=-1) if self._join_hidden else x)
        if self.units and not self.lstm_first:
            x, memory = self._remember(torch.cat([x, normalised], dim=-1) if self._join_lstm else x, memory)
        return self.output(torch.cat([x, normalised], dim=-1) if self._join_output else x), memory

    def _remember(self, x: torch.Tensor, memory: Memory | None) -> tuple[torch.Tensor, Memory]:
        x, after = self.lstm(x, memory)
        return self.layer_norm(x), after


def _joined(width: int, alone: int, observation: int) -> bool:
    """Whether a stage's input of some width is joined by the observation."""
    if width == alone:
        return False
    if width == alone + observation:
        return True
    raise ValueError(f"expected an input of {alone} values, or {alone + observation} with the observation, got {width}")


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer
