"""The one place that knows about statistics: intervals for success rates and paired comparisons, from fieldtrial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fieldtrial.stats import mcnemar_exact, proportion_ci
from fieldtrial.stats.compare import newcombe_interval
from numpy.typing import ArrayLike
from scipy import stats

from refinery.config import check


@dataclass(frozen=True, kw_only=True)
class Rate:
    """k successes in n trials with a 95 % Wilson interval."""

    k: int
    """Successes."""
    n: int
    """Trials, at least 1."""

    def __post_init__(self) -> None:
        """Validate the counts."""
        check(self.n >= 1, "n", "at least 1 trial", self.n)
        check(0 <= self.k <= self.n, "k", f"0 to {self.n} successes", self.k)

    @classmethod
    def of(cls, outcomes: ArrayLike) -> Rate:
        """Count the outcomes of an array of booleans."""
        array = np.asarray(outcomes, dtype=bool)
        return cls(k=int(array.sum()), n=int(array.size))

    @property
    def value(self) -> float:
        """Success rate in [0, 1]."""
        return self.k / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval."""
        found = proportion_ci(self.k, self.n, level=0.95, method="wilson").interval
        return found.low, found.high

    def to_json(self) -> dict[str, int]:
        """The form every results file uses."""
        return {"k": self.k, "n": self.n}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({self.k}/{self.n}, 95 % interval {100 * low:.1f} to {100 * high:.1f} %)"


def paired_p_value(first: ArrayLike, second: ArrayLike) -> float:
    """Exact McNemar test of two boolean outcome arrays on common seeds.

    Args:
        first: Outcomes under one condition, shape (n,).
        second: Outcomes under the other, same seeds, shape (n,).

    Returns:
        Two-sided p-value; 1.0 when no pair differs.
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    return mcnemar_exact(int(np.sum(a & ~b)), int(np.sum(~a & b))).pvalue


def paired_difference_interval(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """95 % interval of ``second - first`` in success, for outcomes on common seeds (normal, on the differences).

    Not fieldtrial's Tango interval, which has better coverage for few pairs: published figures are of this one.

    Args:
        first: Outcomes under one condition, shape (n,), n at least 2.
        second: Outcomes under the other, same seeds, shape (n,).

    Returns:
        Ends of the interval, as fractions.
    """
    differences = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    half = float(stats.norm.ppf(0.975)) * float(differences.std(ddof=1)) / np.sqrt(len(differences))
    mean = float(differences.mean())
    return mean - half, mean + half


def rate_difference_interval(first: Rate, second: Rate) -> tuple[float, float]:
    """Newcombe's 95 % interval of ``second - first`` (hybrid of two Wilson intervals), as fractions.

    Source: Newcombe (1998), Statistics in Medicine 17, method 10.
    """
    return newcombe_interval(second.k, second.n, first.k, first.n, level=0.95)


def held_out_bits(outcomes: ArrayLike, predicted: ArrayLike, baseline: ArrayLike) -> float:
    """Bits per rollout a prediction gains over a baseline on held-out outcomes; positive: it knows something.

    Args:
        outcomes: Booleans, shape (n,).
        predicted: Predicted success probabilities, shape (n,).
        baseline: Baseline probabilities, shape (n,) or a scalar.

    Returns:
        Mean log2 likelihood ratio.
    """
    y = np.asarray(outcomes, dtype=bool)
    p = np.clip(np.asarray(predicted, dtype=float), 1e-3, 1 - 1e-3)
    q = np.clip(np.broadcast_to(np.asarray(baseline, dtype=float), y.shape), 1e-3, 1 - 1e-3)
    return float(np.mean(np.where(y, np.log2(p / q), np.log2((1 - p) / (1 - q)))))
