"""The policy being trained: rsl_rl actor and critic, kept on disk as plain arrays (never pickled)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rsl_rl.models import MLPModel, RNNModel
from tensordict import TensorDict

from refinery.action import ACTION_NAMES
from refinery.config import check
from refinery.errors import ConfigError
from refinery.observation import OBSERVATION_SIZE
from refinery.rotations import Array
from refinery.trained_with import TrainedWith
from refinery_sim_train.arrays import load_arrays, save_arrays
from refinery_sim_train.env.insertion_env import PRIVILEGED_SIZE
from refinery_sim_train.learn.record import record_from, record_of

GROUPS = {"actor": ["policy"], "critic": ["policy", "privileged"]}
"""Observation groups: the critic also sees the truth (asymmetric actor-critic, as in the released code)."""
Memory = tuple[torch.Tensor, torch.Tensor]
"""State h, c of an LSTM."""


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """Size of the networks and the exploration noise."""

    hidden: tuple[int, ...] = (256, 128, 64)
    """Hidden layers of actor and critic (the released code's MLP)."""
    lstm: int = 0
    """Units of an LSTM between the actor's observations and its hidden layers; 0 is a policy without memory. The
    critic needs none: it sees the truth."""
    action_std: float = 0.2
    """Standard deviation of the exploration noise, fixed, share of full action, (0, 1]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(len(self.hidden) >= 1 and all(h >= 1 for h in self.hidden), "hidden", "positive sizes", self.hidden)
        check(self.lstm >= 0, "lstm", "0 or more units", self.lstm)
        check(0 < self.action_std <= 1, "action_std", "a value in (0, 1]", self.action_std)


def pack(observation: NDArray[np.float32], privileged: NDArray[np.float32]) -> TensorDict:
    """Put observations (B, N) and privileged observations (B, P) into the groups rsl_rl expects."""
    return TensorDict(
        {"policy": torch.from_numpy(observation), "privileged": torch.from_numpy(privileged)},
        batch_size=[len(observation)],
    )


class Agent:
    """Actor and critic.

    Args:
        spec: Sizes.
        seed: Of the initial weights.
    """

    def __init__(self, spec: AgentSpec, seed: int) -> None:
        torch.manual_seed(seed)
        self.spec = spec
        empty = pack(np.zeros((1, OBSERVATION_SIZE), np.float32), np.zeros((1, PRIVILEGED_SIZE), np.float32))
        noise = {"class_name": "GaussianDistribution", "init_std": spec.action_std, "learn_std": False}
        hidden = list(spec.hidden)
        sizes, kind = (empty, GROUPS, "actor", len(ACTION_NAMES), hidden), {"obs_normalization": True}
        self.actor = (
            RNNModel(*sizes, **kind, distribution_cfg=noise, rnn_type="lstm", rnn_hidden_dim=spec.lstm)
            if spec.lstm
            else MLPModel(*sizes, **kind, distribution_cfg=noise)
        )
        self._memory: Memory | None = None
        self.trained_with: TrainedWith | None = None
        """Of the actor's weights, set by whatever trains them; None: untrained, or stored before this was recorded."""
        self.critic = MLPModel(empty, GROUPS, "critic", 1, hidden, obs_normalization=True)

    def reset(self) -> None:
        """Forget what was seen, as at the start of episodes."""
        self._memory = None

    @torch.inference_mode()
    def act(self, observation: NDArray[np.float32]) -> Array:
        """Mean actions (B, 6) for policy observations (B, N), as deployed; B is constant from reset to reset."""
        latent = self.actor.obs_normalizer(torch.from_numpy(observation))
        if self.spec.lstm:
            # Memory of its own: a training in progress keeps its in the model.
            out, self._memory = self.actor.rnn.rnn(latent[None], self._memory)
            latent = out[0]
        result: Array = self.actor.mlp(latent).numpy().astype(np.float64)
        return result

    def act_sequences(self, observations: torch.Tensor) -> torch.Tensor:
        """Mean actions (T, B, 6) for whole episodes' observations (T, B, N), to be differentiated."""
        latent = self.actor.obs_normalizer(observations)
        if self.spec.lstm:
            latent, _ = self.actor.rnn.rnn(latent)
        actions: torch.Tensor = self.actor.mlp(latent)
        return actions

    @property
    def action_std(self) -> float:
        """Standard deviation of the exploration noise as it is now, share of full action."""
        return float(self._std[0])

    @action_std.setter
    def action_std(self, value: float) -> None:
        with torch.no_grad():
            self._std.fill_(value)

    @property
    def _std(self) -> torch.Tensor:
        parameter: torch.Tensor = self.actor.distribution.std_param
        return parameter

    def copy(self) -> Agent:
        """An independent agent with the same weights and their record."""
        twin = Agent(self.spec, seed=0)
        twin.actor.load_state_dict(self.actor.state_dict())
        twin.critic.load_state_dict(self.critic.state_dict())
        twin.trained_with = self.trained_with
        return twin

    def save(self, path: Path) -> None:
        """Write all weights and their record as an ``.npz`` of plain arrays, atomically."""
        arrays = {
            f"{name}.{key}": value.detach().numpy()
            for name, model in (("actor", self.actor), ("critic", self.critic))
            for key, value in model.state_dict().items()
        }
        arrays["hidden"] = np.asarray(self.spec.hidden)
        arrays["lstm"] = np.asarray(self.spec.lstm)
        arrays["action_std"] = np.asarray(self.spec.action_std)
        save_arrays(path, arrays | record_of(self.trained_with))

    @classmethod
    def load(cls, path: Path) -> Agent:
        """Read weights written by :meth:`save`.

        Raises:
            ConfigError: The file is missing, damaged or for another observation or action.
        """
        try:
            arrays = load_arrays(path)
            spec = AgentSpec(
                hidden=tuple(int(h) for h in arrays.pop("hidden")),
                # Weights from before there was a choice have none.
                lstm=int(arrays.pop("lstm", 0)),
                action_std=float(arrays.pop("action_std")),
            )
            agent = cls(spec, seed=0)
            for name, model in (("actor", agent.actor), ("critic", agent.critic)):
                state = {
                    key.removeprefix(f"{name}."): torch.from_numpy(np.array(value))
                    for key, value in arrays.items()
                    if key.startswith(f"{name}.")
                }
                model.load_state_dict(state)
        except FileNotFoundError:
            raise ConfigError(path, "", "weights of a policy", "nothing there", "run train_base first") from None
        except Exception as error:
            first = " ".join(str(error).split())[:200]
            expected = f"weights for {OBSERVATION_SIZE} observations"
            raise ConfigError(path, "", expected, first, "train it anew") from error
        agent.trained_with = record_from(arrays, path)
        return agent
