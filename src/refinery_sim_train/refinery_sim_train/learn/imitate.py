"""Imitation of the scripted search by DAgger: roll out a mix of expert and student, label with the expert, regress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from refinery.initial_state import Box
from refinery.trained_with import TrainedWith
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.learn.agent import Agent, pack
from refinery_sim_train.learn.expert import ExpertSpec, expert_action
from refinery_sim_train.learn.sequences import whole_episodes


@dataclass(frozen=True, kw_only=True)
class ImitationSpec:
    """Settings of the imitation."""

    rounds: int = 6
    """DAgger rounds; the first is pure expert."""
    epochs: int = 6
    """Passes over all data per round."""
    batch: int = 2048
    """Samples per gradient step."""
    learning_rate: float = 1e-3
    """Adam learning rate."""
    noise: float = 0.15
    """Standard deviation of the noise on the rolled-out (not the labelled) actions, share of full action."""


def imitate(
    agent: Agent, env: InsertionEnv, box: Box, spec: ImitationSpec, seed: int, report: Callable[[str, float], None]
) -> float:
    """Train the actor on the expert's actions.

    Args:
        agent: Changed in place.
        env: Environments to roll out in.
        box: Initial states to draw from.
        spec: Settings.
        seed: Seed of all draws.
        report: Called with a sentence and the share done.

    Returns:
        The last mean squared error of the actions.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    steps = env.task.control.episode_steps
    observations: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.float32]] = []
    optimizer = torch.optim.Adam(agent.actor.parameters(), lr=spec.learning_rate)
    loss_value = float("nan")
    for round_index in range(spec.rounds):
        env.reset(draw_episodes(env.task, box.uniform(env.count, rng), rng))
        agent.reset()
        use_student = rng.random(env.count) < min(0.5 * round_index, 0.9)
        for step in range(steps):
            observation, _ = env.get_observations()
            label = expert_action(env, ExpertSpec())
            observations.append(observation)
            labels.append(label.astype(np.float32))
            action = np.where(use_student[:, None], agent.act(observation), label)
            env.step(action + rng.normal(0, spec.noise, action.shape))
            report(f"imitation {round_index + 1}/{spec.rounds}", (round_index + 0.7 * step / steps) / spec.rounds)
        # Without a memory every step is an episode of its own, which mixes a batch better.
        length = steps if agent.spec.lstm else 1
        x, y = (torch.from_numpy(whole_episodes(part, length)) for part in (observations, labels))
        if round_index == 0:
            flat = x.flatten(0, 1)
            agent.actor.update_normalization(pack(flat.numpy(), np.zeros((len(flat), 1), np.float32)))
        for _ in range(spec.epochs):
            for columns in torch.randperm(x.shape[1]).split(max(spec.batch // length, 1)):
                loss = torch.nn.functional.mse_loss(agent.act_sequences(x[:, columns]), y[:, columns])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_value = float(loss.detach())
    agent.trained_with = TrainedWith.of(env.task)
    return loss_value
