"""``python -m experiments.calibration``: success over the trials of a cell that learns its calibration, or does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from experiments.calibration.cells import CONDITIONS, Condition, Trials, run_cells
from experiments.calibration.plot import drawn
from experiments.results_file import merge_results, read_results
from refinery.config import check
from refinery.statistics import Rate
from refinery.storage import check_writable, write_whole
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.provenance import provenance, typed_command
from refinery_sim_train.refine.evaluate import BatchPolicy
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import WeightsArgs, load_weights, shipped_base


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Run the same cells with and without learning the constant error of their socket estimate."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    weights: Path | None = None
    """Weights to run (.npz); default: the shipped base policy."""
    cells: int = 100
    """Cells, each with an error of its own."""
    trials: int = 50
    """Trials of each cell, at least 12: the error jumps after half of them."""
    seed: int = 0
    """Seed, 0 to 9999."""
    out: Path = Path("results/calibration.json")
    """Results file; other tasks in it are kept. The plot is written beside it."""


def compare(args: Args) -> None:
    """Run all conditions, print, write and draw."""
    check(args.trials >= 12, "trials", "at least 12", args.trials)
    check_writable(args.out.parent)
    # A damaged file is found before the work, not after it.
    read_results(args.out)
    task = read_task(args.task)
    policy = load_weights(args.weights or shipped_base(task), task, args)
    env = make_env(task, args.cells)
    facts = provenance(seed=args.seed, env_steps=0)
    rows: dict[str, Any] = {}
    figures = {
        "conditions": rows,
        "cells": args.cells,
        "trials": args.trials,
        "weights": "base" if args.weights is None else args.weights.name,
        **{key: facts[key] for key in ("git_revision", "date", "machine", "seed")},
        "command": typed_command(),
    }
    for condition in CONDITIONS:
        rows[condition.name] = _measure(args, env, policy, condition)
        merge_results(args.out, {task.name: figures})
    write_whole(args.out.with_suffix(".png"), drawn(read_results(args.out)))


def _measure(args: Args, env: InsertionEnv, policy: BatchPolicy, condition: Condition) -> dict[str, dict[str, Any]]:
    """Run a condition, and print and return its rates."""
    seed = stream_seed(env.task.name, "test", args.seed, 1)
    with stage(f"{env.task.name}: {condition.name}") as update:
        results = run_cells(
            env, policy, condition, trials=args.trials, seed=seed, report=lambda share: update(share, "")
        )
    rows = spans(results)
    for span, row in rows.items():
        console.print(
            f"  trials {span:<6} {_said(row)}, with one retry {_said(row['with_retry'])}, "
            f"error left {row['left_mm']:.2f} mm"
        )
    return rows


def _said(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{100 * row['rate']:5.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def spans(results: Trials) -> dict[str, dict[str, Any]]:
    """Rates over spans of trials, with 95 % bootstrap intervals over the cells.

    Args:
        results: Of a condition.
    """
    trials = len(results.won)
    # What is learnt first, and how fast after a jump in the middle.
    middle = (trials + 1) // 2 + 1
    firsts = sorted({first for first in (1, 2, 6, middle, middle + 5) if first <= trials})
    found = {}
    for first, after in zip(firsts, [*firsts[1:], trials + 1], strict=True):
        rows = slice(first - 1, after - 1)
        name = str(first) if after - first == 1 else f"{first}-{after - 1}"
        found[name] = {
            **_rate(results.won[rows]),
            "with_retry": _rate(results.won_retried[rows]),
            "left_mm": round(1e3 * float(results.left_m[rows].mean()), 4),
        }
    return found


def _rate(won: NDArray[np.bool_]) -> dict[str, Any]:
    """Success over trials and cells, with its interval; Wilson's where all cells did alike and nothing varies."""
    rate, by_cell = Rate.of(won), won.mean(axis=0)
    interval = rate.interval
    if np.ptp(by_cell) > 0:
        boot = stats.bootstrap((by_cell,), np.mean, n_resamples=2000, method="percentile", rng=0)
        interval = (float(boot.confidence_interval.low), float(boot.confidence_interval.high))
    return {**rate.to_json(), "rate": rate.value, "interval": [round(end, 4) for end in interval]}


def main() -> None:
    """Entry point."""
    run(Args, compare)


if __name__ == "__main__":
    main()
