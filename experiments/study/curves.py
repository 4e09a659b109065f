"""Statistics over training seeds: paired differences, areas under learning curves, and steps to equal success.

A figure that pools the episodes of several trainings says nothing about the next training; what is here resamples or
compares whole trainings, paired by their seed (equal test episodes, equal random numbers of the training).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from refinery.config import check
from refinery.rotations import Array

RESAMPLES = 2000
"""Bootstrap resamples of the seeds."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Mean difference of two success rates over paired training seeds."""

    seeds: int
    """Pairs, at least 1."""
    points: float
    """Second minus first, percentage points."""
    interval: tuple[float, float] | None
    """95 % t-interval over the seeds, percentage points; None for a single pair, which has no spread."""

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``no difference shown`` (the interval includes 0) or ``too few seeds``."""
        if self.interval is None:
            return "too few seeds"
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "no difference shown"

    def to_json(self) -> dict[str, Any]:
        """Rounded for results files."""
        found = None if self.interval is None else [round(end, 2) for end in self.interval]
        return {
            "seeds": self.seeds,
            "difference_points": round(self.points, 2),
            "interval_points": found,
            "verdict": self.verdict,
        }


def seed_difference(first: ArrayLike, second: ArrayLike) -> Difference:
    """Compare success rates of two conditions, paired by seed.

    Args:
        first: Rate of every seed under one condition, shape (seeds,), in [0, 1].
        second: Rates under the other, same seeds.

    Returns:
        Second minus first.
    """
    difference = 100 * (np.asarray(second, dtype=float) - np.asarray(first, dtype=float))
    check(difference.ndim == 1 and len(difference) >= 1, "seeds", "at least one pair", difference.shape)
    mean, n = float(difference.mean()), len(difference)
    if n == 1:
        return Difference(seeds=1, points=mean, interval=None)
    half = float(stats.t.ppf(0.975, n - 1) * difference.std(ddof=1) / math.sqrt(n))
    return Difference(seeds=n, points=mean, interval=(mean - half, mean + half))


def area_under(steps: Array, success: Array) -> Array:
    """Mean success along a learning curve: its area (trapezoids) over the steps it spans.

    Args:
        steps: Environment steps of the points, increasing, shape (points,).
        success: Success there, shape (..., points).

    Returns:
        Shape (...).
    """
    middle = (success[..., 1:] + success[..., :-1]) / 2
    return np.asarray(middle @ np.diff(steps) / (steps[-1] - steps[0]))


def steps_to_reach(steps: Array, success: Array, target: float) -> float:
    """Fewest steps at which a curve reaches a success rate, on its running maximum and linear between points.

    Args:
        steps: Environment steps of the points, increasing, shape (points,).
        success: Success there, shape (points,).
        target: Success to reach, [0, 1].

    Returns:
        The steps; infinity if the curve never gets there.
    """
    envelope = np.maximum.accumulate(success)
    # Means of the same numbers taken in another order differ in their last bit.
    reached = np.flatnonzero(envelope >= target - 1e-12)
    if not len(reached):
        return math.inf
    after = int(reached[0])
    if after == 0:
        return float(steps[0])
    low, high = envelope[after - 1], envelope[after]
    share = min(1.0, (target - low) / (high - low))
    return float(steps[after - 1] + share * (steps[after] - steps[after - 1]))


def steps_ratio(steps: Array, runner: Array, reference: Array, share: float = 1.0) -> float:
    """Steps of one curve over those of another, both to the success that the other ends with.

    Args:
        steps: Environment steps of the points, the first 0, shape (points,).
        runner: Success of the curve in question, shape (points,).
        reference: Success of the curve it is measured against, from the same start.
        share: Part of the reference's gain that is to be reached; under 1 it depends less on the noise of a plateau.

    Returns:
        The ratio; infinity if ``runner`` never gets there, NaN if ``reference`` ends no higher than it started.
    """
    target = float(reference[0] + share * (reference[-1] - reference[0]))
    if target <= reference[0]:
        return math.nan
    return steps_to_reach(steps, runner, target) / steps_to_reach(steps, reference, target)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio of steps with its uncertainty over training seeds."""

    value: float
    """Ratio on the mean curves; infinity: never reached; NaN: the reference gained nothing."""
    interval: tuple[float, float]
    """95 % percentile interval of the bootstrap; an end may be infinite, NaN if no resample has a ratio."""
    reached: float
    """Share of the resamples in which the level was reached, [0, 1]."""

    def to_json(self, name: str) -> dict[str, Any]:
        """Values for results files: null stands for never and for no ratio; the note distinguishes them."""
        noted = "never reached" if math.isinf(self.value) else "nothing to reach" if math.isnan(self.value) else ""
        return {
            name: _finite(self.value),
            f"{name}_interval": [_finite(end) for end in self.interval],
            f"{name}_reached": round(self.reached, 3),
            f"{name}_note": noted,
        }


def bootstrap_ratio(
    steps: Array, runner: Array, reference: Array, share: float = 1.0, resamples: int = RESAMPLES, seed: int = 0
) -> Ratio:
    """:func:`steps_ratio` of the mean curves over seeds, with a bootstrap over the seeds, paired.

    Args:
        steps: Environment steps of the points, the first 0, shape (points,).
        runner: Success of every seed's curve, shape (seeds, points).
        reference: Success of the curves measured against, same seeds, shape (seeds, points).
        share: Part of the reference's gain that is to be reached.
        resamples: Draws of as many seeds with replacement.
        seed: Seed of the draws.

    Returns:
        The ratio; with one seed its interval has no width and means nothing.
    """
    drawn = np.random.default_rng(seed).integers(len(runner), size=(resamples, len(runner)))
    ratios = np.array([steps_ratio(steps, runner[i].mean(0), reference[i].mean(0), share) for i in drawn])
    defined = ratios[~np.isnan(ratios)]
    # No interpolation between order statistics: some may be infinite.
    ends = np.quantile(defined, [0.025, 0.975], method="inverted_cdf") if len(defined) else (math.nan, math.nan)
    return Ratio(
        value=steps_ratio(steps, runner.mean(0), reference.mean(0), share),
        interval=(float(ends[0]), float(ends[1])),
        reached=float(np.isfinite(ratios).mean()),
    )


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
