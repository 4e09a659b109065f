"""An imported network as a policy of this package: evaluated, exported and shipped like one trained here."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from refinery.rotations import Array
from refinery.trained_with import TrainedWith
from refinery_sim_train.checkpoints.network import Memory, Network
from refinery_sim_train.learn.deployed import Deployed


class _DeployedNetwork(Deployed):
    """Mean action, clipped to what the action decoder accepts anyway."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def blank(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the shapes that are deployed."""
        return (torch.zeros(1, self.network.size),)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Map an observation (1, N) to an action (1, 6)."""
        return torch.clamp(self.network(obs[None])[0][0], -1.0, 1.0)


class _DeployedLstmNetwork(_DeployedNetwork):
    """The same for a network with an LSTM, its state as extra input and output."""

    inputs = ("obs", "h", "c")
    outputs = ("action", "h_out", "c_out")

    def blank(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the shapes that are deployed."""
        state = torch.zeros(self.network.layers, 1, self.network.units)
        return (torch.zeros(1, self.network.size), state, state.clone())

    def forward(  # type: ignore[override]
        self, obs: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Map an observation (1, N) and the memory to an action (1, 6) and the memory after."""
        action, (h_out, c_out) = self.network(obs[None], (h, c))
        return torch.clamp(action[0], -1.0, 1.0), h_out, c_out


class ImportedPolicy:
    """Runs an imported network on a batch of episodes.

    Args:
        network: The network.
        trained_with: What its owner declares it was trained with.
    """

    def __init__(self, network: Network, trained_with: TrainedWith) -> None:
        self._network = network
        self._memory: Memory | None = None
        self.trained_with: TrainedWith | None = trained_with
        """Control settings, observation and action that it was trained with."""

    def reset(self) -> None:
        """Clear the memory, at the start of episodes."""
        self._memory = None

    @torch.inference_mode()
    def act(self, observation: NDArray[np.float32]) -> Array:
        """Mean actions (B, 6) for observations (B, N); B is constant from reset to reset."""
        means, self._memory = self._network(torch.from_numpy(observation)[None], self._memory)
        result: Array = means[0].numpy().astype(np.float64)
        return result

    def act_sequences(self, observations: torch.Tensor) -> torch.Tensor:
        """Mean actions (T, B, 6) for whole episodes' observations (T, B, N)."""
        means: torch.Tensor = self._network(observations)[0]
        return means

    def deployed(self) -> Deployed:
        """What is exported."""
        return _DeployedLstmNetwork(self._network) if self._network.units else _DeployedNetwork(self._network)
