"""The contents of ``results/study.json`` from the records of the units; what has not been run is absent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from experiments.study.plan import DEFAULT, StudySpec, Unit
from experiments.study.work import unpack_outcomes
from refinery.statistics import Rate, paired_p_value

Json = dict[str, Any]
CONDITIONS = ("base", "clipped", "refined", "started", "retried")
"""Conditions of a run, in the order of the columns."""
HARD_BELOW = 0.9
"""Success of the base policy under which a task counts into the mean: elsewhere there is little to refine."""


def summarise(spec: StudySpec, records: Mapping[Unit, Json]) -> Json:
    """Summarise a study, complete or not.

    Args:
        spec: Settings of the study.
        records: Results of the units that have been run.

    Returns:
        JSON-ready: ``tasks``, ``mean`` over the hard ones, ``arms`` against the default.
    """
    by_task = {
        task: {
            unit.seed: record for unit, record in sorted(records.items()) if (unit.task, unit.arm) == (task, DEFAULT)
        }
        for task in spec.tasks
    }
    tasks = {task: _task(seeds, kept_out=task in spec.kept_out) for task, seeds in by_task.items() if seeds}
    hard = [task for task, summary in tasks.items() if _value(summary["base"]) < HARD_BELOW]
    return {
        "tasks": tasks,
        "mean": _mean(by_task, hard),
        "arms": {name: _arm(records, name, arm.tasks) for name, arm in spec.arms.items()},
    }


def difference(first: ArrayLike, second: ArrayLike) -> Json:
    """Compare success rates, paired by seed or task.

    Args:
        first: Rates under one condition, shape (n,), [0, 1].
        second: Rates under the other.

    Returns:
        Second minus first in points, and its 95 % t-interval, None for a single pair.
    """
    points = 100 * (np.asarray(second, dtype=float) - np.asarray(first, dtype=float))
    return {"pairs": len(points), "points": round(float(points.mean()), 2), "interval": _t_interval(points)}


def _t_interval(values: Any) -> list[float] | None:
    n = len(values)
    if n < 2:
        return None
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return [round(float(np.mean(values)) - half, 2), round(float(np.mean(values)) + half, 2)]


def _task(seeds: Mapping[int, Json], *, kept_out: bool) -> Json:
    records = list(seeds.values())
    outcomes = {name: [unpack_outcomes(r[name]) for r in records] for name in CONDITIONS}
    refined = [found.mean() for found in outcomes["refined"]]
    stronger = [max(b.mean(), c.mean()) for b, c in zip(outcomes["base"], outcomes["clipped"], strict=True)]
    return {
        "kept_out": kept_out,
        "seeds": sorted(seeds),
        **{name: Rate.of(np.concatenate(found)).to_json() for name, found in outcomes.items()},
        "by_seed": {name: [round(100 * float(o.mean()), 2) for o in found] for name, found in outcomes.items()},
        "spread_points": round(100 * float(np.ptp(refined)), 2),
        "below_base": sum(bool(r < s) for r, s in zip(refined, stronger, strict=True)),
        "paired_p_value": paired_p_value(np.concatenate(outcomes["clipped"]), np.concatenate(outcomes["refined"])),
        "curve": [r["curve"] for r in records],
        "env_steps": max(int(r["env_steps"]) for r in records),
        "decisions": [r["log"] for r in records],
    }


def _mean(by_task: Mapping[str, Mapping[int, Json]], hard: Sequence[str]) -> Json:
    """Mean over the hard tasks; intervals over tasks, each the mean of its seeds, and the spread over seeds."""
    if not hard:
        return {}
    common = sorted(set.intersection(*(set(by_task[task]) for task in hard)))
    found: Json = {"tasks": list(hard), "seeds": common}
    for name in CONDITIONS:
        rates = np.array([[unpack_outcomes(by_task[task][seed][name]).mean() for seed in common] for task in hard])
        by_seed = 100 * rates.mean(axis=0)
        found[name] = {
            "percent": round(float(by_seed.mean()), 2),
            "interval_over_tasks": _t_interval(100 * rates.mean(axis=1)),
            "by_seed": np.round(by_seed, 2).tolist(),
        }
    return found


def _arm(records: Mapping[Unit, Json], arm: str, tasks: Sequence[str]) -> Json:
    """Compare an arm with the default by task, on the seeds that both have."""
    found = {}
    for task in tasks:
        pairs = [
            (records[unit], records[other])
            for unit in sorted(records)
            for other in (Unit(task=task, seed=unit.seed, arm=arm),)
            if (unit.task, unit.arm) == (task, DEFAULT) and other in records
        ]
        if pairs:
            rates = [[_value(record["refined"]) for record in pair] for pair in pairs]
            first, second = zip(*rates, strict=True)
            found[task] = {
                DEFAULT: [round(100 * rate, 2) for rate in first],
                arm: [round(100 * rate, 2) for rate in second],
                "difference": difference(first, second),
            }
    return found


def _value(counts: Mapping[str, Any]) -> float:
    return int(counts["k"]) / int(counts["n"])
