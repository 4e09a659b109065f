"""Figures of many assemblies: survival per step, and what the product of single steps would promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.assembly.records import AssemblyRecord
from refinery.statistics import Rate

_RESAMPLES = 10_000


def summarize(
    steps: Sequence[str], assemblies: Sequence[AssemblyRecord], alone: dict[str, list[AssemblyRecord]]
) -> dict[str, Any]:
    """Return the figures of one condition, as JSON.

    Args:
        steps: Names of the steps, in order.
        assemblies: Whole assemblies.
        alone: Single runs of each step with the parts before it in place, by step.

    Returns:
        Success, success without a second try of any step, survival and rate of every step given the ones before, and
        the product of the rates of steps alone.
        Intervals of survival are over whole assemblies; that of the product is a bootstrap over the runs of each step.
    """
    reached = [np.array([len(run.steps) > i for run in assemblies]) for i in range(len(steps))]
    passed = [np.array([len(run.steps) > i and run.steps[i].seated for run in assemblies]) for i in range(len(steps))]
    singles = {step: np.array([run.finished for run in runs]) for step, runs in alone.items()}
    figures: dict[str, Any] = {
        "sequence": _rate([run.finished for run in assemblies]),
        "first_tries": _rate([run.first_tries for run in assemblies]),
        "steps": {},
    }
    for i, step in enumerate(steps):
        records = [run.steps[i] for run in assemblies if len(run.steps) > i]
        figures["steps"][step] = {
            "survival": _rate(passed[i]),
            "given_before": _rate(passed[i][reached[i]]),
            "attempts": _mean([record.attempts for record in records]),
            "estimate_error_mm": _mean([record.estimate_error_mm for record in records]),
            "carried_mm": _mean([record.carried_mm for record in records]),
            "taken_for_seated": sum(record.verified and not record.seated for record in records),
            "stops": _counts([record.stopped for record in records if not record.seated]),
        }
        if step in singles:
            figures["steps"][step]["alone"] = _rate(singles[step])
    if len(singles) == len(steps):
        figures["product_of_alone"] = _product(list(singles.values()))
    worst = min(steps, key=lambda step: figures["steps"][step]["given_before"]["rate"])
    figures["weakest_step"] = worst
    return figures


def shown(figures: dict[str, Any]) -> str:
    """Return the figures of a condition in one line: success beside what its steps alone would promise."""
    rate, first = figures["sequence"], figures["first_tries"]["k"]
    text = f"{rate['k']} of {rate['n']} finished, {_percent(rate)}, {first} without a second try"
    if "product_of_alone" in figures:
        text += f"; steps alone would promise {_percent(figures['product_of_alone'])}"
    return f"{text}; weakest step {figures['weakest_step']}"


def _percent(rate: dict[str, Any]) -> str:
    low, high = (100 * end for end in rate["interval"])
    return f"{100 * rate['rate']:.1f} % ({low:.1f} to {high:.1f})"


def _product(runs: list[Any]) -> dict[str, Any]:
    """Return the product of rates with a bootstrap interval."""
    rng = np.random.default_rng(0)
    drawn = np.prod([rng.binomial(len(run), run.mean(), _RESAMPLES) / len(run) for run in runs], axis=0)
    return {
        "rate": float(np.prod([run.mean() for run in runs])),
        "interval": [float(end) for end in np.quantile(drawn, [0.025, 0.975])],
    }


def _rate(outcomes: Any) -> dict[str, Any]:
    values = np.asarray(outcomes, dtype=bool)
    if len(values) == 0:
        return {"k": 0, "n": 0, "rate": 0.0, "interval": [0.0, 1.0]}
    rate = Rate.of(values)
    low, high = rate.exact_interval
    return {"k": rate.k, "n": rate.n, "rate": rate.value, "interval": [low, high]}


def _mean(values: list[Any]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _counts(reasons: list[str]) -> dict[str, int]:
    return {reason or "not seated": reasons.count(reason) for reason in sorted(set(reasons))}
