"""``python -m experiments.backends``: the same episodes in several simulators, and how fast each is.

On a machine with a GPU: ``--device cuda:0 --rates 256 512 1024 2048 4096 8192 --out results/gpu.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.backends.episodes import TOUCHING_N, Run, run_episodes
from experiments.results_file import merge_results, read_results
from refinery.statistics import Rate, paired_p_value
from refinery.storage import check_writable
from refinery.task import Task
from refinery_sim_train.backends.registry import BACKENDS, simulator
from refinery_sim_train.command import run
from refinery_sim_train.console import stage
from refinery_sim_train.env.episodes import draw_episode_set
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.seeding import stream_seed, uniform_starts
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import shipped_base


@dataclass(frozen=True, kw_only=True)
class Args:
    """Run the shipped base policies on the same test episodes in every backend, and compare."""

    tasks: tuple[str, ...] = ("peg_rect", "hexagon", "two_prongs")
    """Names in config/tasks; by default plugs of boxes, of a hull and of cylinders."""
    backends: tuple[str, ...] = BACKENDS
    """Simulators; the first is what the others are compared with."""
    device: str = "cpu"
    """Device of those that can run on a GPU."""
    episodes: int = 256
    """Episodes of a task, all at once; 0 compares nothing."""
    rates: tuple[int, ...] = ()
    """Numbers of environments to measure the rate at, with the first task's policy and contact."""
    seed: int = 0
    """Seed of the episodes, 0 to 9999."""
    out: Path = Path("results/backends.json")
    """Results file; other keys in it are kept."""


def compare(args: Args) -> None:
    """Run, print and write."""
    check_writable(args.out.parent)
    read_results(args.out)
    devices = {name: args.device if name != "mujoco" else "cpu" for name in args.backends}
    simulators = {name: simulator(name, device).to_json() for name, device in devices.items()}
    figures: dict[str, Any] = {"simulators": simulators, "provenance": provenance(seed=args.seed, env_steps=0)}
    for task in map(read_task, args.tasks if args.episodes else ()):
        runs = {name: _run(task, name, device, args.episodes, args.seed) for name, device in devices.items()}
        figures[task.name] = {name: _figures(found, runs[args.backends[0]]) for name, found in runs.items()}
    task = read_task(args.tasks[0])
    rates: dict[str, dict[str, float]] = {name: {} for name in args.backends}
    for count in args.rates:
        for name, device in devices.items():
            rates[name][str(count)] = round(_run(task, name, device, count, args.seed).steps_per_s)
    if args.rates:
        figures["environment_steps_per_s"] = rates
    merge_results(args.out, figures)


def _run(task: Task, backend: str, device: str, count: int, seed: int) -> Run:
    """Run the base policy on the first episodes of the test stream, uniform starts."""
    agent = Agent.load(shipped_base(task))
    theta = uniform_starts(task.name, task.initial_state.deployed, count, "test", seed)
    episodes = draw_episode_set(task, theta, stream_seed(task.name, "test", seed, 0))
    with stage(f"{task.name}: {count} episodes in {backend} on {device}") as update:
        found = run_episodes(make_env(task, count, backend=backend, device=device), agent, episodes)
        update(1.0, f"{Rate.of(found.strict)}, {found.steps_per_cpu_s:.0f} environment steps per CPU second")
    return found


def _figures(found: Run, reference: Run) -> dict[str, Any]:
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


def main() -> None:
    """Entry point."""
    run(Args, compare)


if __name__ == "__main__":
    main()
