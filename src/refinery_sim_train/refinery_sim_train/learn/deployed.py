"""Policies in the form that is exported: one observation in, one clipped mean action out, a memory carried outside."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from rsl_rl.models import MLPModel

from refinery.observation import OBSERVATION_SIZE
from refinery.rotations import Array
from refinery.trained_with import TrainedWith


class Deployed(torch.nn.Module):
    """A network with named inputs and outputs."""

    inputs: tuple[str, ...] = ("obs",)
    """Names of the inputs."""
    outputs: tuple[str, ...] = ("action",)
    """Names of the outputs."""

    def blank(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the shapes that are deployed."""
        return (torch.zeros(1, OBSERVATION_SIZE),)


class Policy(Protocol):
    """A policy that can be evaluated, exported and shipped."""

    trained_with: TrainedWith | None
    """Settings that the weights were trained with; None if unknown."""

    def reset(self) -> None:
        """Clear the memory, at the start of new episodes."""

    def act(self, observation: NDArray[np.float32]) -> Array:
        """Map observations (B, N) to actions (B, 6)."""

    def act_sequences(self, observations: torch.Tensor) -> torch.Tensor:
        """Mean actions (T, B, 6) for whole episodes' observations (T, B, N)."""

    def deployed(self) -> Deployed:
        """What is exported."""


class DeployedActor(Deployed):
    """The actor's mean action, clipped to what the action decoder accepts anyway."""

    def __init__(self, actor: MLPModel) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Map an observation (1, N) to an action (1, 6)."""
        return torch.clamp(self.actor.mlp(self.actor.obs_normalizer(obs)), -1.0, 1.0)


class DeployedLstmActor(DeployedActor):
    """The same for an actor with an LSTM, its state as extra input and output."""

    inputs = ("obs", "h", "c")
    outputs = ("action", "h_out", "c_out")

    def blank(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the shapes that are deployed."""
        state = torch.zeros(1, 1, self.actor.rnn.rnn.hidden_size)
        return (torch.zeros(1, OBSERVATION_SIZE), state, state.clone())

    def forward(  # type: ignore[override]
        self, obs: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Map an observation (1, N) and the memory to an action (1, 6) and the memory after."""
        normalised = self.actor.obs_normalizer(obs)
        output, (h_out, c_out) = self.actor.rnn.rnn(normalised[None], (h, c))
        action = self.actor.mlp(torch.cat([normalised, output[0]], dim=-1))
        return torch.clamp(action, -1.0, 1.0), h_out, c_out
