"""How many environment steps a second a simulator gives the whole environment, and where the time goes."""

from __future__ import annotations

import time
from typing import Any

from experiments.backends.comparison import base_agent
from experiments.backends.timed import TimedPhysics
from refinery.task import Task
from refinery_sim_train.env.episodes import draw_episode_set
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.refine.seeding import stream_seed, uniform_starts


def throughput(task: Task, backend: str, device: str, count: int, seed: int, longest_s: float) -> dict[str, Any]:
    """Step episodes under a shipped base policy, contact included, each from its start to its end if there is time.

    Args:
        task: The insertion task.
        backend: Simulator.
        device: Its device.
        count: Number of environments.
        seed: Seed of the episodes.
        longest_s: Longest time to step for; the first step, which may compile, is not counted.

    Returns:
        Rates per second of wall time, shares of the time, and what was stepped; JSON-ready.
    """
    began = time.perf_counter()
    env, agent = make_env(task, count, backend=backend, device=device), base_agent(task)
    env.physics = physics = TimedPhysics(env.physics)
    theta = uniform_starts(task.name, task.initial_state.deployed, count, "test", seed)
    env.reset(draw_episode_set(task, theta, stream_seed(task.name, "test", seed, 0)))
    first_reset_s = physics.spent_s
    agent.reset()
    env.step(agent.act(env.get_observations()[0]))
    start_s = time.perf_counter() - began
    physics.spent_s, physics.steps, policy_s = 0.0, 0, 0.0
    began = time.perf_counter()
    for _ in range(task.control.episode_steps - 1):
        observation, _ = env.get_observations()
        policy = time.perf_counter()
        action = agent.act(observation)
        policy_s += time.perf_counter() - policy
        env.step(action)
        if time.perf_counter() - began > longest_s:
            break
    spent_s, steps = time.perf_counter() - began, physics.steps * count
    return {
        "environment_steps_per_s": round(steps / (spent_s - policy_s)),
        "physics_only_steps_per_s": round(steps / physics.spent_s),
        "with_policy_steps_per_s": round(steps / spent_s),
        "physics_share": round(physics.spent_s / spent_s, 3),
        "policy_share": round(policy_s / spent_s, 3),
        "policy_steps": physics.steps,
        "start_s": round(start_s, 1),
        "impose_s": round(first_reset_s, 4),
    }
