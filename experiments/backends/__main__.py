"""``python -m experiments.backends``: the same episodes in several simulators, and how fast each is.

On a machine with a GPU, :mod:`experiments.backends.gpu` measures more in less time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.backends.comparison import compared, run_base
from experiments.results_file import merge_results, read_results
from refinery.storage import check_writable
from refinery_sim_train.backends.registry import BACKENDS, simulator
from refinery_sim_train.command import run
from refinery_sim_train.provenance import provenance
from refinery_sim_train.settings import read_task


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
        runs = {name: run_base(task, name, device, args.episodes, args.seed) for name, device in devices.items()}
        figures[task.name] = {name: compared(found, runs[args.backends[0]]) for name, found in runs.items()}
    task = read_task(args.tasks[0])
    rates: dict[str, dict[str, float]] = {name: {} for name in args.backends}
    for count in args.rates:
        for name, device in devices.items():
            rates[name][str(count)] = round(run_base(task, name, device, count, args.seed).steps_per_s)
    if args.rates:
        figures["environment_steps_per_s"] = rates
    merge_results(args.out, figures)


def main() -> None:
    """Entry point."""
    run(Args, compare)


if __name__ == "__main__":
    main()
