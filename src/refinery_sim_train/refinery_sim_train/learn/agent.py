"""The policy being trained: rsl_rl actor and critic, kept on disk as plain arrays (never pickled)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rsl_rl.models import MLPModel
from tensordict import TensorDict

from refinery.config import check
from refinery.errors import ConfigError
from refinery.observation import OBSERVATION_SIZE
from refinery.rotations import Array
from refinery.trained_with import TrainedWith
from refinery_sim_train.arrays import load_arrays, save_arrays
from refinery_sim_train.env.episodic import PRIVILEGED_SIZE
from refinery_sim_train.learn.deployed import Deployed, DeployedActor, DeployedLstmActor
from refinery_sim_train.learn.networks import Actor, Memory, ObservationInput
from refinery_sim_train.learn.record import record_from, record_of

GROUPS = {"actor": ["policy"], "critic": ["policy", "privileged"]}
"""Observation groups: the critic also observes the true state (asymmetric actor-critic, as in the released code)."""


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """Size of the networks and the exploration noise."""

    hidden: tuple[int, ...] = (256, 128, 64)
    """Hidden layers of actor and critic (the released code's MLP)."""
    lstm: int = 0
    """Units of an LSTM whose output joins the actor's observations before its hidden layers; 0 is a policy without
    memory. The critic needs none: it observes the true state."""
    observation_clip: float = 0.0
    """Clip of the normalised observations of actor and critic, in standard deviations; 0 is none."""
    clock: tuple[float, ...] = ()
    """Periods of sines and cosines of the time, added to the actor's observations, as shares of the episode."""
    action_std: float = 0.2
    """Standard deviation of the exploration noise, fixed, share of full action, (0, 1]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(len(self.hidden) >= 1 and all(h >= 1 for h in self.hidden), "hidden", "positive sizes", self.hidden)
        check(self.lstm >= 0, "lstm", "0 or more units", self.lstm)
        check(0 <= self.observation_clip < np.inf, "observation_clip", "0 (none) or more", self.observation_clip)
        check(all(0 < period < np.inf for period in self.clock), "clock", "positive periods", self.clock)
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
        spec: Sizes of the networks and exploration noise.
        seed: Seed of the initial weights.
    """

    def __init__(self, spec: AgentSpec, seed: int) -> None:
        torch.manual_seed(seed)
        self.spec = spec
        empty = pack(np.zeros((1, OBSERVATION_SIZE), np.float32), np.zeros((1, PRIVILEGED_SIZE), np.float32))
        hidden = list(spec.hidden)
        self.actor = Actor(
            empty,
            GROUPS,
            hidden,
            action_std=spec.action_std,
            clip=spec.observation_clip,
            clock=spec.clock,
            lstm=spec.lstm,
        )
        self._memory: Memory | None = None
        self.trained_with: TrainedWith | None = None
        """Settings that the actor's weights were trained with; None: untrained, or stored before this was recorded."""
        self.critic = MLPModel(empty, GROUPS, "critic", 1, hidden, obs_normalization=True)
        self.critic.obs_normalizer = ObservationInput(self.critic.obs_dim, spec.observation_clip, ())

    def reset(self) -> None:
        """Clear the memory, at the start of episodes."""
        self._memory = None

    @torch.inference_mode()
    def act(self, observation: NDArray[np.float32]) -> Array:
        """Mean actions (B, 6) for policy observations (B, N), as deployed; B is constant from reset to reset."""
        # Not the model's own memory, which belongs to the training in progress.
        means, self._memory = self.actor.means(torch.from_numpy(observation)[None], self._memory)
        result: Array = means[0].numpy().astype(np.float64)
        return result

    def act_sequences(self, observations: torch.Tensor) -> torch.Tensor:
        """Mean actions (T, B, 6) for whole episodes' observations (T, B, N), to be differentiated."""
        return self.actor.means(observations)[0]

    def deployed(self) -> Deployed:
        """What is exported."""
        return DeployedLstmActor(self.actor) if self.spec.lstm else DeployedActor(self.actor)

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
        return self.extended(self.spec, seed=0)

    def extended(self, spec: AgentSpec, seed: int) -> Agent:
        """An independent agent with the same actions and more network inputs to learn from.

        Args:
            spec: Sizes of this agent; clock and LSTM may be added (the weights on these inputs start at zero), and the
                clip may differ.
            seed: Seed of the weights of an added LSTM.

        Returns:
            The agent, with this one's record of what it was trained with.
        """
        old = self.spec
        check(spec.hidden == old.hidden, "hidden", f"the agent's {old.hidden}", spec.hidden)
        check(old.lstm in (0, spec.lstm), "lstm", f"the agent's {old.lstm} units", spec.lstm)
        check(old.clock in ((), spec.clock), "clock", f"the agent's {old.clock}", spec.clock)
        agent = Agent(spec, seed)
        state = agent.actor.state_dict()
        for key, value in self.actor.state_dict().items():
            state[key] = _pad_inputs(value, state[key], key, old)
        agent.actor.load_state_dict(state)
        agent.critic.load_state_dict(self.critic.state_dict())
        agent.trained_with = self.trained_with
        return agent

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
        arrays["observation_clip"] = np.asarray(self.spec.observation_clip)
        arrays["clock"] = np.asarray(self.spec.clock, dtype=np.float64)
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
                observation_clip=float(arrays.pop("observation_clip", 0.0)),
                clock=tuple(float(period) for period in arrays.pop("clock", ())),
            )
            agent = cls(spec, seed=0)
            first = arrays["actor.mlp.0.weight"]
            if spec.lstm and first.shape[1] == spec.lstm:
                # From before the hidden layers saw the observations past the LSTM.
                arrays["actor.mlp.0.weight"] = np.pad(first, ((0, 0), (OBSERVATION_SIZE, 0)))
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
            cause = " ".join(str(error).split())[:200]
            expected = f"weights for {OBSERVATION_SIZE} observations"
            raise ConfigError(path, "", expected, cause, "train it anew") from error
        agent.trained_with = record_from(arrays, path)
        return agent


def _pad_inputs(value: torch.Tensor, larger: torch.Tensor, key: str, old: AgentSpec) -> torch.Tensor:
    """Weights for more inputs, in the order observations, clock, memory; new inputs get weight zero."""
    if value.shape == larger.shape:
        return value
    result = torch.zeros_like(larger)
    width = OBSERVATION_SIZE + 2 * len(old.clock)
    result[:, :width] = value[:, :width]
    if old.lstm and key == "mlp.0.weight":
        result[:, -old.lstm :] = value[:, width:]
    return result
