"""The table of trials, failures first, and a summary of it in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from refinery.statistics import Rate
from refinery_evaluation.report.data import DemoData, TrialRecord
from refinery_evaluation.report.formatting import Dimension, counts, free_dimensions, number
from refinery_evaluation.report.narrative import predicted_and_measured

TRIALS_HEADER = (
    "Trial",
    "Seed",
    "Start",
    "Result",
    "How it ended",
    "Predicted",
    "Initial state",
    "Placed within",
    "At the end: depth, off axis, turned",
    "Peak force",
    "Time",
)
"""Names of the columns."""


def failures_first(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials with failures first, otherwise in the order run."""
    return sorted(trials, key=lambda t: (t.strict, t.index))


def outcomes_against_physics(trials: Sequence[TrialRecord]) -> int:
    """Count trials in which the outcome of the insert action (by the estimated socket) differs from the physics."""
    return sum((t.outcome.casefold() == "success") != t.strict for t in trials)


def failure_counts(trials: Sequence[TrialRecord]) -> list[tuple[str, int]]:
    """Return how the failed trials ended and how often, most frequent first."""
    return Counter("not placed" if not t.placed else t.outcome for t in trials if not t.strict).most_common()


def trials_rows(data: DemoData) -> list[tuple[str, list[str]]]:
    """Return the CSS class and the cells of each row; a line break in a cell is one on the page."""
    dims = free_dimensions(data.box)
    return [("" if t.strict else "failed", _cells(t, dims)) for t in failures_first(data.trials)]


def trials_summary(data: DemoData) -> str:
    """Return the sentences above the table; empty without trials."""
    trials = data.trials
    if not trials:
        return ""
    failed = failure_counts(trials)
    sentences = ["Failures come first."] if failed else ["No trial failed."]
    if failed:
        total = sum(count for _, count in failed)
        sentences.append(f"{total} of {len(trials)} failed ({', '.join(f'{count} x {how}' for how, count in failed)}).")
    sentences.append(
        "Success is strict, from the physics after the last step; a trial that was not placed counts as a failure."
    )
    loose = Rate.of([t.engaged for t in trials])
    sentences.append(
        f"The loose test of the method's released code (in the hole at any step) holds in {counts(loose)}."
    )
    if differ := outcomes_against_physics(trials):
        sentences.append(
            f"In {differ} the insert action's own outcome, by the estimated socket pose, differs from the physics."
        )
    return " ".join(sentences + predicted_and_measured(data))


def _cells(trial: TrialRecord, dims: Sequence[Dimension]) -> list[str]:
    place = f"{number(trial.place_error_mm, 2, 'mm')}\n{number(trial.place_error_deg, 2, '°')}"
    final = f"{number(trial.depth_mm, 1, 'mm')}\n{number(trial.lateral_mm, 2, 'mm')}, {number(trial.angle_deg, 1, '°')}"
    predicted = None if trial.predicted is None else 100 * trial.predicted
    return [
        str(trial.index),
        str(trial.seed),
        trial.starts,
        "\u2713 seated" if trial.strict else "\u2717 failed",
        f"{trial.outcome}\n{trial.reason}" if trial.reason and not trial.strict else trial.outcome,
        number(predicted, 0, "%"),
        _theta(trial, dims),
        place if trial.placed else f"not placed\n{place}",
        final,
        number(trial.max_force_n, 0, "N"),
        number(trial.duration_s, 1, "s"),
    ]


def _theta(trial: TrialRecord, dims: Sequence[Dimension]) -> str:
    """Return the free dimensions, positions on the first line and angles on the second."""
    lines = []
    for unit, sign, digits in (("mm", "\u00a0mm", 1), ("deg", "°", 0)):
        chosen = [d for d in dims if d.unit == unit]
        shown = ", ".join(f"{d.name} {number(trial.theta[d.index] * d.factor, digits)}" for d in chosen)
        if chosen:
            lines.append(f"{shown}{sign}")
    return "\n".join(lines)
