"""PPO on the insertion environment: rsl_rl's algorithm, our loop.

Initial states come from a source that records every outcome; an update stops early on the KL divergence; a training can
be resumed from its stored state, bit for bit.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from rsl_rl.algorithms import PPO
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from refinery.action import ACTION_NAMES
from refinery.config import check
from refinery.rotations import Array
from refinery.trained_with import TrainedWith
from refinery_sim_train.arrays import Arrays, prefixed, under
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.episodic import PRIVILEGED_SIZE, Episodic
from refinery_sim_train.learn.agent import Agent, pack
from refinery_sim_train.learn.record import record_from, record_of

_LEAST_STEP = 1e-3
"""Share of an update step below which it is not halved again."""
RESETS_APART = 5
"""Policy steps between two resets of some environments."""


class StartSource(Protocol):
    """Draws initial states of episodes and records their outcomes."""

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states for episodes that start."""

    def observe(self, theta: Array, success: NDArray[np.bool_]) -> None:
        """Record the strict success (k,) of full episodes from theta (k, 9), exploration noise included."""


@dataclass(frozen=True, kw_only=True)
class PpoSpec:
    """Hyper-parameters of PPO; those that rsl_rl has are named as there."""

    num_steps_per_env: int = 25
    """Policy steps per environment between updates, at least 1 (a third to a half of an episode)."""
    learning_rate: float = 1e-3
    """Adam learning rate at the start, over 0 (an adaptive rate destroyed imitated policies)."""
    final_rate_share: float = 0.2
    """Learning rate at the end as a share of that at the start, linear in between, (0, 1]."""
    final_std: float = 0.12
    """Standard deviation of the exploration noise at the end, share of full action, (0, 1]; geometric from the
    agent's at the start. With 0.2 to the end the deployed mean action is up to 5 points worse than the noisy one, with
    0.06 nothing more is learnt in the second half of a training (docs/decisions.md, "Dither")."""
    num_learning_epochs: int = 5
    """Most passes over the rollout per update, at least 1."""
    num_mini_batches: int = 4
    """Mini-batches per pass over the rollout."""
    gamma: float = 0.995
    """Discount factor per policy step, (0, 1)."""
    lam: float = 0.95
    """Lambda of the generalised advantage estimate, (0, 1]."""
    clip_param: float = 0.2
    """Clip of the probability ratio around 1."""
    max_kl: float = 0.15
    """Largest mean KL divergence of the updated from the rollout's policy, [nat], over 0. An update stops after the
    epoch that exceeds it, and its step is halved until it no longer does."""
    entropy_coef: float = 0.0
    """Coefficient of the entropy bonus."""
    critic_warmup: int = 6
    """First iterations in which only the critic learns (the imitated actor comes without one)."""
    final_bonus: float = 60.0
    """Reward of being seated at an episode's last step, as a multiple of a seated step's, 0 or more: with 15 a step
    seated earlier pays more than a failure turned into a late success (docs/decisions.md)."""
    reward_scale: float = 0.03
    """Scale of the rewards in training, over 0: it brings returns to the order of 1, which suits the learning rate."""
    noise_correlation: float = 0.0
    """Correlation of the exploration noise from one policy step to the next, [0, 1); 0 is white noise."""
    seated_steps: int = 5
    """Policy steps in a row with the plug seated that end an episode, credited with the reward of staying seated; 0
    runs all episodes to their end."""
    run_out_share: float = 0.25
    """Share of the episodes that run to their end all the same, so that holding the plug is trained, [0, 1]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.learning_rate > 0, "learning_rate", "a positive rate", self.learning_rate)
        check(0 < self.gamma < 1 and 0 < self.lam <= 1, "gamma", "in (0, 1)", self.gamma)
        check(self.num_steps_per_env >= 1, "num_steps_per_env", "at least 1", self.num_steps_per_env)
        check(self.num_learning_epochs >= 1, "num_learning_epochs", "at least 1", self.num_learning_epochs)
        check(0 < self.final_rate_share <= 1, "final_rate_share", "in (0, 1]", self.final_rate_share)
        check(0 < self.final_std <= 1, "final_std", "in (0, 1]", self.final_std)
        check(self.max_kl > 0, "max_kl", "a positive divergence", self.max_kl)
        check(self.final_bonus >= 0, "final_bonus", "0 or more", self.final_bonus)
        check(self.reward_scale > 0, "reward_scale", "a positive factor", self.reward_scale)
        check(0 <= self.noise_correlation < 1, "noise_correlation", "in [0, 1)", self.noise_correlation)
        check(self.seated_steps >= 0, "seated_steps", "0 (never) or more", self.seated_steps)
        check(0 <= self.run_out_share <= 1, "run_out_share", "in [0, 1]", self.run_out_share)


@dataclass(frozen=True, kw_only=True)
class PpoProgress:
    """State of the training after an iteration."""

    iteration: int
    """Iterations so far."""
    env_steps: int
    """Environment steps so far."""
    success: float
    """Strict success of the latest full episodes, [0, 1] (exploring actions, the source's starts)."""
    reward: float
    """Mean reward per step of the last rollout."""
    value_loss: float
    """Loss of the critic in the first epoch."""
    kl: float
    """Mean KL divergence of the updated from the rollout's policy."""
    epochs: int
    """Epochs done before the divergence stopped the update."""
    kept: float
    """Share of the actor's step that was kept; under 1 where the whole step went too far."""


class PpoTraining:
    """A training in progress; changes the agent in place.

    Args:
        agent: The agent to train. The actor's normaliser stays as the imitation set it: a policy that already works
            must not shift under a changing distribution of starts.
        env: The batch of environments.
        spec: Hyper-parameters.
        iterations: Planned length of the training, over which learning rate and noise are scheduled.
        seed: Seed of all draws.
    """

    def __init__(self, agent: Agent, env: Episodic, spec: PpoSpec, *, iterations: int, seed: int) -> None:
        self.agent, self._env, self._spec, self._iterations = agent, env, spec, iterations
        self._rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self._algorithm = _algorithm(agent, env, spec)
        agent.actor.obs_normalizer.until = 1
        self._length = env.task.control.episode_steps
        self._theta = np.zeros((env.count, env.task.initial_state.deployed.low.size))
        self._ends = np.zeros(env.count, dtype=np.int64)
        self._seated = np.zeros(env.count, dtype=np.int64)
        self._may_stop = np.zeros(env.count, dtype=bool)
        self._noise = torch.zeros(env.count, len(ACTION_NAMES))
        self._recent: deque[bool] = deque(maxlen=2 * env.count)
        self.env_steps, self.iteration = 0, 0
        self._observation: TensorDict | None = None

    def _begin(self, source: StartSource) -> None:
        env = self._env
        self.agent.actor.reset()
        self._theta = source(env.count, self._rng)
        env.reset(draw_episodes(env.task, self._theta, self._rng))
        # Episodes end at different times, so that every rollout sees every phase: the first ones are cut short. Those
        # that end together are reset together: a reset costs much the same for one arm as for ten.
        apart = self._rng.integers(1, self._length + 1, env.count)
        self._ends = np.minimum(-(-apart // RESETS_APART) * RESETS_APART, self._length)
        self._may_stop = self._draw_may_stop(env.count)
        self._noise.normal_()
        self._observation = pack(*env.get_observations())

    def _draw_may_stop(self, count: int) -> NDArray[np.bool_]:
        """Draw which of the starting episodes end early once seated, shape (count,)."""
        spec = self._spec
        return (self._rng.random(count) >= spec.run_out_share) & (spec.seated_steps > 0)

    def iterate(self, source: StartSource) -> PpoProgress:
        """Roll out, update once and return the progress."""
        if self._observation is None:
            self._begin(source)
        self._schedule()
        with torch.inference_mode():
            first = self.env_steps // self._env.count + 1
            steps = range(first, first + self._spec.num_steps_per_env)
            reward = np.mean([self._step(source, resets=step % RESETS_APART == 0) for step in steps])
            self._algorithm.compute_returns(self._observation)
        frozen = self.iteration < self._spec.critic_warmup
        value_loss, kl, epochs, kept = self._update(actor_frozen=frozen)
        if not frozen:
            self.agent.trained_with = TrainedWith.of(self._env.task)
        self.iteration += 1
        self.env_steps += self._env.count * self._spec.num_steps_per_env
        return PpoProgress(
            iteration=self.iteration,
            env_steps=self.env_steps,
            success=float(np.mean(self._recent)) if self._recent else float("nan"),
            reward=float(reward),
            value_loss=value_loss,
            kl=kl,
            epochs=epochs,
            kept=kept,
        )

    def _schedule(self) -> None:
        """Set learning rate and exploration noise for the share of the training that is done."""
        done = min(self.iteration / max(self._iterations - 1, 1), 1.0)
        spec, start = self._spec, self.agent.spec.action_std
        rate = spec.learning_rate * (1 - (1 - spec.final_rate_share) * done)
        for group in self._algorithm.optimizer.param_groups:
            group["lr"] = rate
        self.agent.action_std = start * (min(spec.final_std, start) / start) ** done

    def _step(self, source: StartSource, *, resets: bool) -> float:
        """One policy step of all environments; seated episodes may end at it if ``resets``. Returns the mean reward."""
        env, spec = self._env, self._spec
        action = self._act()
        reward, _, strict, _ = env.step(action.numpy().astype(np.float64))
        over = env.step_index >= self._ends
        self._seated = np.where(strict, self._seated + 1, 0)
        stopped = self._may_stop & ~over & (self._seated >= spec.seated_steps) & resets
        # Seated to the end, every step would earn what this one did.
        left = self._length - env.step_index
        earned = reward + stopped * _remaining_return(reward, left, spec.gamma, spec.final_bonus)
        earned += spec.final_bonus * (strict & (left == 0))
        rows = np.flatnonzero(over | stopped)
        if len(rows):
            full = rows[(env.step_index[rows] >= self._length) | (stopped[rows] & (self._ends[rows] == self._length))]
            self._recent.extend(strict[full].tolist())
            source.observe(self._theta[full], strict[full])
            self._theta[rows] = source(len(rows), self._rng)
            env.reset(draw_episodes(env.task, self._theta[rows], self._rng), rows)
            self._ends[rows], self._seated[rows] = self._length, 0
            self._may_stop[rows] = self._draw_may_stop(len(rows))
            self._noise[rows] = torch.randn(len(rows), self._noise.shape[1])
        self._observation = pack(*env.get_observations())
        scaled = torch.from_numpy((spec.reward_scale * earned).astype(np.float32))
        self._algorithm.process_env_step(self._observation, scaled, torch.from_numpy(over | stopped), {})
        return float(reward.mean())

    def _act(self) -> torch.Tensor:
        """Draw actions, shape (B, 6), with noise that may persist from step to step."""
        action: torch.Tensor = self._algorithm.act(self._observation)
        kept = self._spec.noise_correlation
        if not kept:
            return action
        actor, transition = self.agent.actor, self._algorithm.transition
        self._noise = kept * self._noise + (1 - kept**2) ** 0.5 * torch.randn_like(self._noise)
        action = actor.output_mean + actor.output_std * self._noise
        # The noise of a single step is the network's Gaussian, as the probability ratio assumes.
        transition.actions = action
        transition.actions_log_prob = actor.get_output_log_prob(action)
        return action

    def _update(self, *, actor_frozen: bool) -> tuple[float, float, int, float]:
        """Run epochs until the divergence exceeds its limit; value loss, divergence, epochs, share of the step kept."""
        # The network only: the exploration noise stays as it is.
        network = [p for name, p in self.agent.actor.named_parameters() if name.startswith(("mlp.", "rnn."))]
        for parameter in network:
            parameter.requires_grad_(not actor_frozen)
        before = [parameter.detach().clone() for parameter in network]
        value_loss, kl, epoch = float("nan"), 0.0, 0
        for epoch in range(1, self._spec.num_learning_epochs + 1):
            losses = self._algorithm.update()
            value_loss = losses["value"] if epoch == 1 else value_loss
            kl = 0.0 if actor_frozen else self._divergence()
            if kl > self._spec.max_kl:
                break
        kl, kept = self._step_back(network, before, kl)
        return value_loss, kl, epoch, kept

    @torch.no_grad()
    def _step_back(
        self, network: list[torch.nn.Parameter], before: list[torch.Tensor], kl: float
    ) -> tuple[float, float]:
        """Halve a step until its divergence is within the limit, as TRPO's line search does; divergence and share kept.

        The clipped ratio does not bound a single epoch: where initial states lie outside the box that the normaliser
        knows, the first Adam steps moved the policy by ten times ``max_kl``, and it did not recover.
        """
        after, kept = [parameter.detach().clone() for parameter in network], 1.0
        while kl > self._spec.max_kl and kept > _LEAST_STEP:
            kept /= 2
            for parameter, old, new in zip(network, before, after, strict=True):
                parameter.copy_(old + kept * (new - old))
            kl = self._divergence()
        return kl, kept

    @torch.inference_mode()
    def _divergence(self) -> float:
        storage, actor = self._algorithm.storage, self.agent.actor
        if self.agent.spec.lstm:
            (whole,) = storage.recurrent_mini_batch_generator(1, 1)
            old = whole.old_distribution_params
            actor(whole.observations, masks=whole.masks, hidden_state=whole.hidden_states[0], stochastic_output=True)
        else:
            every = slice(None, None, 5)
            old = tuple(values[every].flatten(0, 1) for values in storage.distribution_params)
            actor(storage.observations[every].flatten(0, 1), stochastic_output=True)
        return float(actor.get_kl_divergence(old, actor.output_distribution_params).mean())

    @property
    def _memory(self) -> tuple[torch.Tensor, ...]:
        """State of the actor's LSTM in the episodes under way; empty without one."""
        state: tuple[torch.Tensor, ...] = self.agent.actor.get_hidden_state() or ()
        return state

    def snapshot(self) -> Arrays:
        """Everything the next iterations depend on, as plain arrays (weights included)."""
        arrays = prefixed("env", self._env.snapshot())
        for name, model in (("actor", self.agent.actor), ("critic", self.agent.critic)):
            arrays |= prefixed(name, {key: value.detach().numpy().copy() for key, value in model.state_dict().items()})
        for index, state in self._algorithm.optimizer.state_dict()["state"].items():
            arrays |= prefixed(f"adam/{index}", {key: np.asarray(value).copy() for key, value in state.items()})
        arrays |= record_of(self.agent.trained_with)
        arrays["torch_rng"] = torch.get_rng_state().numpy()
        arrays["numpy_rng"] = np.frombuffer(json.dumps(self._rng.bit_generator.state).encode(), dtype=np.uint8)
        arrays["theta"], arrays["ends"] = self._theta, self._ends
        arrays["seated"], arrays["may_stop"], arrays["noise"] = self._seated, self._may_stop, self._noise.numpy()
        arrays["recent"] = np.array(self._recent, dtype=bool)
        arrays["progress"] = np.array([self.iteration, self.env_steps])
        arrays |= prefixed("memory", {str(i): part.numpy() for i, part in enumerate(self._memory)})
        if self._observation is not None:
            arrays |= {f"observation/{key}": self._observation[key].numpy() for key in ("policy", "privileged")}
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Resume from a :meth:`snapshot` of a training with the same task, settings and seed."""
        self._env.restore(under("env", arrays))
        for name, model in (("actor", self.agent.actor), ("critic", self.agent.critic)):
            model.load_state_dict({key: torch.from_numpy(v.copy()) for key, v in under(name, arrays).items()})
        self.agent.trained_with = record_from(arrays, "the state of a training")
        optimizer = self._algorithm.optimizer.state_dict()
        states: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in under("adam", arrays).items():
            index, name = key.split("/")
            states.setdefault(int(index), {})[name] = torch.from_numpy(np.array(value))
        self._algorithm.optimizer.load_state_dict({"state": states, "param_groups": optimizer["param_groups"]})
        torch.set_rng_state(torch.from_numpy(arrays["torch_rng"].copy()))
        self._rng.bit_generator.state = json.loads(arrays["numpy_rng"].tobytes())
        memory = under("memory", arrays)
        if memory:
            self.agent.actor.reset(hidden_state=tuple(torch.from_numpy(memory[str(i)].copy()) for i in range(2)))
        self._theta, self._ends = arrays["theta"].copy(), arrays["ends"].copy()
        self._seated, self._may_stop = arrays["seated"].copy(), arrays["may_stop"].copy()
        self._noise = torch.from_numpy(arrays["noise"].copy())
        self._recent.clear()
        self._recent.extend(arrays["recent"].tolist())
        self.iteration, self.env_steps = (int(value) for value in arrays["progress"])
        if "observation/policy" in arrays:
            self._observation = pack(arrays["observation/policy"].copy(), arrays["observation/privileged"].copy())


def _remaining_return(reward: Array, steps_left: NDArray[np.int64], gamma: float, bonus: float) -> Array:
    """Discounted reward of staying seated to the end of an episode, final bonus included, shape (B,)."""
    left = np.maximum(steps_left, 0)
    return reward * gamma * (1 - gamma**left) / (1 - gamma) + gamma**left * bonus


def _algorithm(agent: Agent, env: Episodic, spec: PpoSpec) -> PPO:
    """Build rsl_rl's PPO around the agent; one epoch an update, so that we can stop between epochs."""
    empty = pack(
        np.zeros((env.count, agent.actor.obs_dim), np.float32), np.zeros((env.count, PRIVILEGED_SIZE), np.float32)
    )
    storage = RolloutStorage("rl", env.count, spec.num_steps_per_env, empty, [6], "cpu")
    return PPO(
        agent.actor,
        agent.critic,
        storage,
        num_learning_epochs=1,
        num_mini_batches=spec.num_mini_batches,
        clip_param=spec.clip_param,
        gamma=spec.gamma,
        lam=spec.lam,
        value_loss_coef=1.0,
        # The clip is in units of the return; it would hold the critic of a fresh return scale back for many iterations.
        use_clipped_value_loss=False,
        entropy_coef=spec.entropy_coef,
        learning_rate=spec.learning_rate,
        max_grad_norm=1.0,
        schedule="fixed",
        desired_kl=None,
        device="cpu",
    )
