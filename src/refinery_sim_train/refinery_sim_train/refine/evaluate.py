"""Evaluate a deterministic policy on given initial states and seeds; equal seeds pair conditions exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array
from refinery.statistics import Rate
from refinery_sim_train.env.episodes import draw_episode_set
from refinery_sim_train.env.episodic import Episodic


class BatchPolicy(Protocol):
    """A policy for a batch of episodes."""

    def reset(self) -> None:
        """Clear the memory, at the start of new episodes."""

    def act(self, observation: NDArray[np.float32]) -> Array:
        """Map observations (B, N) to actions (B, 6)."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Results of n episodes."""

    theta: Array
    """Initial states, shape (n, 9)."""
    strict: NDArray[np.bool_]
    """Strict success at the last step, shape (n,)."""
    engaged: NDArray[np.bool_]
    """Loose success at any step, shape (n,)."""
    lateral_m: Array
    """Final distance from the axis, shape (n,), [m]."""
    height_m: Array
    """Final height over the bottom, shape (n,), [m]."""
    estimate_error_m: Array
    """Lateral error of the socket estimate, without jitter, shape (n,), [m]."""

    @property
    def rate(self) -> Rate:
        """Strict success."""
        return Rate.of(self.strict)


def evaluate(
    env: Episodic,
    policy: BatchPolicy,
    theta: Array,
    seed: int,
    report: Callable[[float], None] = lambda share: None,
    record: list[NDArray[np.float32]] | None = None,
    action_std: float = 0.0,
) -> Outcomes:
    """Run one episode per initial state.

    Args:
        env: Batch of environments; episodes run in groups of its size, which changes none of them.
        policy: The policy.
        theta: Initial states, shape (n, 9).
        seed: Seed of socket poses and noise (:func:`refinery_sim_train.env.episodes.draw_episode_set`).
        report: Called with the share done.
        action_std: Standard deviation of noise on the actions (sampled deployment); 0 deploys the mean.
        record: Collects every step's observations (B, N), for the export's parity gate.

    Returns:
        The outcomes, in the order of ``theta``.
    """
    # A separate generator, so that sampled and mean deployment see equal episodes.
    dither = np.random.default_rng([seed, 2])
    drawn = draw_episode_set(env.task, theta, seed)
    steps = env.task.control.episode_steps
    n = len(theta)
    strict, engaged = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    lateral, height, estimate_error = np.zeros(n), np.zeros(n), np.zeros(n)
    for start in range(0, n, env.count):
        rows = np.arange(start, min(start + env.count, n))
        padded = np.resize(rows, env.count)
        episodes = drawn[padded]
        env.reset(episodes)
        policy.reset()
        for step in range(steps):
            observation, _ = env.get_observations()
            if record is not None:
                record.append(observation)
            action = policy.act(observation)
            if action_std:
                action = action + dither.normal(0.0, action_std, action.shape)
            _, errors, now, loose = env.step(action)
            report((start + env.count * (step + 1) / steps) / (env.count * -(-n // env.count)))
        k = len(rows)
        strict[rows], engaged[rows] = now[:k], loose[:k]
        lateral[rows], height[rows] = errors.lateral_m[:k], errors.height_m[:k]
        estimate_error[rows] = np.linalg.norm((episodes.estimate.pos_m - episodes.socket.pos_m)[:k, :2], axis=1)
    return Outcomes(
        theta=theta, strict=strict, engaged=engaged, lateral_m=lateral, height_m=height, estimate_error_m=estimate_error
    )


def by_estimate_error(outcomes: Outcomes) -> list[tuple[float, float, Rate]]:
    """Success by the error of the socket estimate.

    Args:
        outcomes: Outcomes of the episodes.

    Returns:
        Least and largest error, [m], and strict success of the episodes sorted by the error: three quarters, the next
        fifth and the last twentieth of them.
    """
    edges = np.quantile(outcomes.estimate_error_m, [0, 0.25, 0.5, 0.75, 0.95, 1])
    groups = np.clip(np.searchsorted(edges, outcomes.estimate_error_m, side="right") - 1, 0, len(edges) - 2)
    found = [(low, high, outcomes.strict[groups == i]) for i, (low, high) in enumerate(pairwise(edges.tolist()))]
    return [(low, high, Rate.of(strict)) for low, high, strict in found if len(strict)]
