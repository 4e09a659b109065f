"""The actor's network: observations normalised, clipped and joined by a clock, then a memory beside hidden layers."""

from __future__ import annotations

import math

import torch
from rsl_rl.models import MLPModel
from rsl_rl.modules import RNN
from rsl_rl.modules.normalization import EmpiricalNormalization
from rsl_rl.modules.rnn import HiddenState
from rsl_rl.utils import unpad_trajectories
from tensordict import TensorDict

from refinery.action import ACTION_NAMES
from refinery.observation import OBSERVATION_SIZE, TERMS

assert TERMS[-1].name == "time_left" and TERMS[-1].size == 1
TIME_LEFT = OBSERVATION_SIZE - 1
"""Index of the share of the episode that is left among the policy's observations."""
Memory = tuple[torch.Tensor, torch.Tensor]
"""State h, c of an LSTM, each of shape (1, B, units)."""


class ObservationInput(EmpiricalNormalization):
    """Normalises observations, clips them, and adds a clock.

    Args:
        size: Width N of the observations; the policy's come first.
        clip: Largest magnitude of a normalised value, in standard deviations; 0 is none.
        clock: Periods of the clock's sines and cosines, as shares of the episode.
    """

    def __init__(self, size: int, clip: float, clock: tuple[float, ...]) -> None:
        super().__init__(size)
        self._clip, self._clock = clip, tuple(2 * math.pi / period for period in clock)
        self.width = size + 2 * len(clock)
        """Width of the output."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map observations (..., N) to network inputs (..., width)."""
        normalised: torch.Tensor = super().forward(x)
        if self._clip:
            normalised = torch.clamp(normalised, -self._clip, self._clip)
        if not self._clock:
            return normalised
        elapsed = 1.0 - x[..., TIME_LEFT : TIME_LEFT + 1]
        turns = torch.cat([elapsed * rate for rate in self._clock], dim=-1)
        return torch.cat([normalised, torch.sin(turns), torch.cos(turns)], dim=-1)


class Actor(MLPModel):
    """Mean actions and Gaussian noise: an MLP of the observations, and of an LSTM's output where there is one.

    The observations also bypass the LSTM to the hidden layers: a memory can be added to a policy that has none without
    changing its actions (:meth:`refinery_sim_train.learn.agent.Agent.extended`).

    Args:
        empty: Observations of the groups' sizes.
        groups: Observation groups of the model.
        hidden: Sizes of the hidden layers.
        action_std: Standard deviation of the noise.
        clip: Largest magnitude of a normalised observation, in standard deviations; 0 is none.
        clock: Periods of the clock, as shares of the episode.
        lstm: Units of the LSTM; 0 is none.
    """

    def __init__(
        self,
        empty: TensorDict,
        groups: dict[str, list[str]],
        hidden: list[int],
        *,
        action_std: float,
        clip: float,
        clock: tuple[float, ...],
        lstm: int,
    ) -> None:
        self._extra = 2 * len(clock) + lstm
        noise = {"class_name": "GaussianDistribution", "init_std": action_std, "learn_std": False}
        super().__init__(
            empty, groups, "actor", len(ACTION_NAMES), hidden, obs_normalization=True, distribution_cfg=noise
        )
        self.obs_normalizer = ObservationInput(self.obs_dim, clip, clock)
        self.is_recurrent = lstm > 0
        if lstm:
            self.rnn = RNN(self.obs_normalizer.width, lstm, 1, "lstm")

    def _get_latent_dim(self) -> int:
        return int(self.obs_dim) + self._extra

    def get_latent(
        self, obs: TensorDict, masks: torch.Tensor | None = None, hidden_state: HiddenState = None
    ) -> torch.Tensor:
        """Inputs of the hidden layers; with masks, of padded trajectories, as in rsl_rl's recurrent batches."""
        normalised: torch.Tensor = super().get_latent(obs)
        if not self.is_recurrent:
            return normalised
        output = self.rnn(normalised, masks, hidden_state).squeeze(0)
        if masks is not None:
            normalised = unpad_trajectories(normalised, masks)
        return torch.cat([normalised, output], dim=-1)

    def means(self, observations: torch.Tensor, memory: Memory | None = None) -> tuple[torch.Tensor, Memory | None]:
        """Mean actions (T, B, 6) for observations (T, B, N) one after the other, and the memory after the last."""
        latent = self.obs_normalizer(observations)
        if self.is_recurrent:
            output, memory = self.rnn.rnn(latent, memory)
            latent = torch.cat([latent, output], dim=-1)
        return self.mlp(latent), memory

    def reset(self, dones: torch.Tensor | None = None, hidden_state: HiddenState = None) -> None:
        """Clear the memory where episodes are done, everywhere without ``dones``; or set it."""
        if self.is_recurrent:
            self.rnn.reset(dones, hidden_state)

    def get_hidden_state(self) -> HiddenState:
        """Memory of the episodes under way; None without one or before the first step."""
        return self.rnn.hidden_state if self.is_recurrent else None
