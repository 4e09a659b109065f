"""The shipped base policy of a task on the same test episodes in one simulator after another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.backends.episodes import TOUCHING_N, Run, run_episodes
from refinery.paths import config_file
from refinery.statistics import Rate, paired_p_value
from refinery.task import Task
from refinery_sim_train.console import stage
from refinery_sim_train.env.episodes import draw_episode_set
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.seeding import stream_seed, uniform_starts
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import shipped_base

_OWN = Path(__file__).with_name("tasks")
OWN_POLICY = "peg_rect"
"""Task whose policy runs the tasks that are only here; all policies observe and act alike."""


def task_to_compare(name: str) -> Task:
    """Read a shipped task, or one that is only here, by name.

    Raises:
        ConfigError: There is none of that name.
    """
    own = _OWN / f"{name}.yaml"
    return read_task(str(own if own.exists() else config_file("tasks", name)))


def base_agent(task: Task) -> Agent:
    """The shipped base policy of a task; for one that is only here, that of :data:`OWN_POLICY`."""
    file = shipped_base(task)
    return Agent.load(file if file.exists() else shipped_base(read_task(OWN_POLICY)))


def run_base(task: Task, backend: str, device: str, count: int, seed: int) -> Run:
    """Run the base policy on the first episodes of the test stream, uniform starts, all at once.

    Args:
        task: The insertion task.
        backend: Simulator.
        device: Its device.
        count: Number of episodes.
        seed: Seed of the episodes.
    """
    agent = base_agent(task)
    theta = uniform_starts(task.name, task.initial_state.deployed, count, "test", seed)
    episodes = draw_episode_set(task, theta, stream_seed(task.name, "test", seed, 0))
    with stage(f"{task.name}: {count} episodes in {backend} on {device}") as update:
        found = run_episodes(make_env(task, count, backend=backend, device=device), agent, episodes)
        update(1.0, f"{Rate.of(found.strict)}, {found.steps_per_cpu_s:.0f} environment steps per CPU second")
    return found


def described(found: Run) -> dict[str, Any]:
    """Success, force while touching, rates and every episode's strict success, JSON-ready."""
    touching = found.force_n[found.force_n > TOUCHING_N]
    median, q95, largest = np.quantile(touching, [0.5, 0.95, 1.0]).round(2).tolist()
    return {
        "strict": Rate.of(found.strict).to_json(),
        "engaged": Rate.of(found.engaged).to_json(),
        "touching_share": round(float(np.mean(found.force_n > TOUCHING_N)), 4),
        "force_n": {"mean": round(float(touching.mean()), 3), "median": median, "q95": q95, "max": largest},
        "steps_per_cpu_s": round(found.steps_per_cpu_s),
        "steps_per_s": round(found.steps_per_s),
        "episodes": "".join(map(str, found.strict.astype(int))),
    }


def paired(figures: Mapping[str, dict[str, Any]], reference: str) -> dict[str, dict[str, Any]]:
    """Add to the figures of simulators that ran equal episodes how they differ from those of one of them.

    Args:
        figures: By simulator, of :func:`described`; those of other numbers of episodes than the reference's stay alone.
        reference: Name of the simulator to compare with.
    """
    there = _won(figures[reference])
    found = {}
    for name, own in figures.items():
        here = _won(own)
        found[name] = dict(own)
        if len(here) == len(there):
            found[name] |= {
                "won_only_here": int(np.sum(here & ~there)),
                "won_only_there": int(np.sum(~here & there)),
                "paired_p_value": paired_p_value(there, here),
            }
    return found


def _won(figures: Mapping[str, Any]) -> NDArray[np.bool_]:
    return np.array([letter == "1" for letter in figures["episodes"]])
