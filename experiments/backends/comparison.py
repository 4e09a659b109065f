"""The shipped base policy of a task on the same test episodes in one simulator after another."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.backends.episodes import TOUCHING_N, Run, run_episodes
from refinery.statistics import Rate, paired_p_value
from refinery.task import Task
from refinery_sim_train.console import stage
from refinery_sim_train.env.episodes import draw_episode_set
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.seeding import stream_seed, uniform_starts
from refinery_sim_train.weights import shipped_base


def run_base(task: Task, backend: str, device: str, count: int, seed: int) -> Run:
    """Run the base policy on the first episodes of the test stream, uniform starts, all at once.

    Args:
        task: The insertion task; a base policy is shipped for it.
        backend: Simulator.
        device: Its device.
        count: Number of episodes.
        seed: Seed of the episodes.
    """
    agent = Agent.load(shipped_base(task))
    theta = uniform_starts(task.name, task.initial_state.deployed, count, "test", seed)
    episodes = draw_episode_set(task, theta, stream_seed(task.name, "test", seed, 0))
    with stage(f"{task.name}: {count} episodes in {backend} on {device}") as update:
        found = run_episodes(make_env(task, count, backend=backend, device=device), agent, episodes)
        update(1.0, f"{Rate.of(found.strict)}, {found.steps_per_cpu_s:.0f} environment steps per CPU second")
    return found


def compared(found: Run, reference: Run) -> dict[str, Any]:
    """Success, paired with the reference's, force while touching and rates, JSON-ready."""
    touching = found.force_n[found.force_n > TOUCHING_N]
    median, q95, largest = np.quantile(touching, [0.5, 0.95, 1.0]).round(2).tolist()
    return {
        "strict": Rate.of(found.strict).to_json(),
        "engaged": Rate.of(found.engaged).to_json(),
        "won_only_here": int(np.sum(found.strict & ~reference.strict)),
        "won_only_there": int(np.sum(~found.strict & reference.strict)),
        "paired_p_value": paired_p_value(reference.strict, found.strict),
        "touching_share": round(float(np.mean(found.force_n > TOUCHING_N)), 4),
        "force_n": {"mean": round(float(touching.mean()), 3), "median": median, "q95": q95, "max": largest},
        "steps_per_cpu_s": round(found.steps_per_cpu_s),
        "steps_per_s": round(found.steps_per_s),
    }
