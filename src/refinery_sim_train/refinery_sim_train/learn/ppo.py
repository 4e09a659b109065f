"""PPO on the insertion environment: rsl_rl's algorithm, our loop (initial states come from a callable; stops on KL)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rsl_rl.algorithms import PPO
from rsl_rl.storage import RolloutStorage

from refinery.config import check
from refinery.rotations import Array
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.learn.agent import Agent, pack

REWARD_SCALE = 0.05
"""Brings returns to the order of 1, where Adam's rate suits the critic."""
ThetaSource = Callable[[int, np.random.Generator], Array]
"""Draws (count, 6) initial states for episodes that start."""


@dataclass(frozen=True, kw_only=True)
class PpoSpec:
    """Hyper-parameters; names as in rsl_rl."""

    steps_per_iteration: int = 25
    """Policy steps per environment between updates (a third of an episode)."""
    learning_rate: float = 3e-4
    """Of Adam, fixed (an adaptive rate destroyed imitated policies, structure.md section 3)."""
    epochs: int = 5
    """Passes over the rollout per update."""
    mini_batches: int = 4
    """Parts of the rollout per pass."""
    gamma: float = 0.995
    """Discount per policy step."""
    lam: float = 0.95
    """Of the generalised advantage estimate."""
    clip: float = 0.2
    """Of the probability ratio."""
    entropy: float = 0.0
    """Weight of the entropy bonus."""
    critic_warmup: int = 6
    """First iterations in which only the critic learns (the imitated actor comes without one)."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.learning_rate > 0, "learning_rate", "a positive rate", self.learning_rate)
        check(0 < self.gamma <= 1 and 0 < self.lam <= 1, "gamma", "in (0, 1]", self.gamma)
        check(self.steps_per_iteration >= 1 and self.epochs >= 1, "epochs", "at least 1", self.epochs)


@dataclass(frozen=True, kw_only=True)
class PpoProgress:
    """State of the training after an iteration."""

    env_steps: int
    """Environment steps so far."""
    success: float
    """Strict success of the episodes that ended lately (exploring actions)."""
    reward: float
    """Mean reward per step of the last rollout."""
    value_loss: float
    """Of the critic."""


def train_ppo(
    agent: Agent,
    env: InsertionEnv,
    source: ThetaSource,
    spec: PpoSpec,
    *,
    env_steps: int,
    seed: int,
    report: Callable[[PpoProgress], None],
    log: Path | None = None,
    on_episode: Callable[[Array, np.ndarray], None] | None = None,
) -> int:
    """Train actor and critic in place.

    Args:
        agent: Changed in place.
        env: The batch of environments.
        source: Initial states.
        spec: Hyper-parameters.
        env_steps: Stop at the first iteration that reaches this many environment steps.
        seed: Of all draws.
        report: Called after every iteration.
        log: JSON-lines file that gets one row per iteration.
        on_episode: Called with theta (k, 6) and strict success (k,) of episodes that ended.

    Returns:
        Environment steps taken.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    algorithm = _algorithm(agent, env, spec)
    task, length = env.task, env.task.control.episode_steps
    theta = source(env.count, rng)
    env.reset(draw_episodes(task, theta, rng))
    # Episodes end at different times, so that every rollout sees every phase: the first ones are cut short.
    ends = rng.integers(1, length + 1, env.count)
    observation = pack(*env.observe())
    recent: deque[bool] = deque(maxlen=2 * env.count)
    done_steps, iteration = 0, 0
    while done_steps < env_steps:
        total_reward = 0.0
        with torch.inference_mode():
            for _ in range(spec.steps_per_iteration):
                action = algorithm.act(observation)
                reward, _, strict, _ = env.advance(action.numpy().astype(np.float64))
                over = env.step_index >= ends
                rows = np.flatnonzero(over)
                if len(rows):
                    full = rows[env.step_index[rows] >= length]
                    recent.extend(strict[full].tolist())
                    if on_episode is not None and len(full):
                        on_episode(theta[full], strict[full])
                    theta[rows] = source(len(rows), rng)
                    env.reset(draw_episodes(task, theta[rows], rng), rows)
                    ends[rows] = length
                observation = pack(*env.observe())
                total_reward += float(reward.mean())
                algorithm.process_env_step(
                    observation,
                    torch.from_numpy((REWARD_SCALE * reward).astype(np.float32)),
                    torch.from_numpy(over),
                    {},
                )
            algorithm.compute_returns(observation)
        frozen = iteration < spec.critic_warmup
        for parameter in agent.actor.parameters():
            parameter.requires_grad_(not frozen)
        if frozen:
            kept = {key: value.clone() for key, value in agent.actor.state_dict().items()}
        losses = algorithm.update()
        if frozen:
            agent.actor.load_state_dict(kept)
        iteration += 1
        done_steps += env.count * spec.steps_per_iteration
        progress = PpoProgress(
            env_steps=done_steps,
            success=float(np.mean(recent)) if recent else float("nan"),
            reward=total_reward / spec.steps_per_iteration,
            value_loss=losses["value"],
        )
        report(progress)
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"iteration": iteration, **progress.__dict__}) + "\n")
    return done_steps


def _algorithm(agent: Agent, env: InsertionEnv, spec: PpoSpec) -> PPO:
    """Build rsl_rl's PPO around the agent."""
    empty = pack(*(np.zeros((env.count, size), np.float32) for size in (agent.actor.obs_dim, _privileged(agent))))
    storage = RolloutStorage("rl", env.count, spec.steps_per_iteration, empty, [6], "cpu")
    return PPO(
        agent.actor,
        agent.critic,
        storage,
        num_learning_epochs=spec.epochs,
        num_mini_batches=spec.mini_batches,
        clip_param=spec.clip,
        gamma=spec.gamma,
        lam=spec.lam,
        value_loss_coef=1.0,
        # The clip is in units of the return; it would hold the critic of a fresh return scale back for many iterations.
        use_clipped_value_loss=False,
        entropy_coef=spec.entropy,
        learning_rate=spec.learning_rate,
        max_grad_norm=1.0,
        schedule="fixed",
        desired_kl=None,
        device="cpu",
    )


def _privileged(agent: Agent) -> int:
    return int(agent.critic.obs_dim - agent.actor.obs_dim)
