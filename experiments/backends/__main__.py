"""``python -m experiments.backends``: the same episodes in several simulators, and how fast each is.

On a machine with a GPU, :mod:`experiments.backends.gpu` measures more in less time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.backends.comparison import described, paired, run_base, task_to_compare
from experiments.backends.throughput import throughput
from experiments.results_file import merge_results, read_results
from refinery.storage import check_writable
from refinery_sim_train.backends.registry import installed, simulator
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.provenance import provenance

REFERENCE = "mujoco"
"""Simulator that the others are compared with."""


@dataclass(frozen=True, kw_only=True)
class Args:
    """Run base policies on the same test episodes in every backend, and compare."""

    tasks: tuple[str, ...] = ("peg_rect", "round_peg", "d_shaft", "three_prongs")
    """Names in config/tasks or experiments/backends/tasks; by default plugs that collide as a box, as a cylinder, as a
    convex hull, and as boxes with a hull."""
    backends: tuple[str, ...] = ()
    """Simulators; by default those that are installed where this runs."""
    device: str = "cpu"
    """Device of those that can run on a GPU."""
    episodes: int = 256
    """Episodes of a task, all at once; 0 compares nothing."""
    rates: tuple[int, ...] = ()
    """Numbers of environments to measure the rate at, with the first task's policy and contact."""
    rate_s: float = 10.0
    """Longest time that each of them is stepped, [s]."""
    seed: int = 0
    """Seed of the episodes, 0 to 9999."""
    out: Path = Path("results/backends.json")
    """Results file. What it has of other simulators is kept and compared with: run this in each environment."""


def compare(args: Args) -> None:
    """Run, print and write."""
    check_writable(args.out.parent)
    devices = {name: args.device if name != "mujoco" else "cpu" for name in args.backends or installed()}
    for name, device in devices.items():
        origin = provenance(seed=args.seed, env_steps=0)
        _add(args.out, "simulators", {name: simulator(name, device).to_json() | {"provenance": origin}})
    for task in map(task_to_compare, args.tasks if args.episodes else ()):
        for name, device in devices.items():
            _add(args.out, task.name, {name: described(run_base(task, name, device, args.episodes, args.seed))})
        figures = read_results(args.out)[task.name]
        if REFERENCE in figures:
            _add(args.out, task.name, paired(figures, REFERENCE))
    for name, device in devices.items():
        for count in args.rates:
            found = throughput(task_to_compare(args.tasks[0]), name, device, count, args.seed, args.rate_s)
            console.print(f"  {name}, {count} environments: {found}", markup=False)
            rates = read_results(args.out).get("throughput", {}).get(name, {})
            _add(args.out, "throughput", {name: rates | {str(count): found}})


def _add(path: Path, key: str, figures: dict[str, Any]) -> None:
    """Add to a mapping in the results file."""
    merge_results(path, {key: read_results(path).get(key, {}) | figures})


def main() -> None:
    """Entry point."""
    run(Args, compare)


if __name__ == "__main__":
    main()
