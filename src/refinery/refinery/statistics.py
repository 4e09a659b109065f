"""The one place that knows about statistics: intervals, paired comparisons, their size and stopping, by fieldtrial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from fieldtrial.stats import (
    adjust_pvalues,
    mcnemar_exact,
    paired_anytime_test,
    ppi_mean,
    proportion_ci,
    tango_interval,
)
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

    @property
    def exact_interval(self) -> tuple[float, float]:
        """95 % Clopper-Pearson interval, never too short: Wilson's covers less than 95 % near rates of 1 (and of 0)."""
        found = proportion_ci(self.k, self.n, level=0.95, method="clopper-pearson").interval
        return found.low, found.high

    def to_json(self) -> dict[str, int]:
        """The form every results file uses."""
        return {"k": self.k, "n": self.n}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({self.k}/{self.n}, 95 % interval {100 * low:.1f} to {100 * high:.1f} %)"


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """Two conditions on common seeds: exact McNemar test, and Tango's interval of the difference."""

    only_first: int
    """Pairs in which only the first succeeded."""
    only_second: int
    """Pairs in which only the second succeeded."""
    n: int
    """All pairs, at least 1."""

    def __post_init__(self) -> None:
        """Validate the counts."""
        check(self.n >= 1, "n", "at least 1 pair", self.n)
        fits = self.only_first >= 0 and self.only_second >= 0 and self.only_first + self.only_second <= self.n
        check(fits, "only_first, only_second", f"counts of {self.n} pairs", (self.only_first, self.only_second))

    @classmethod
    def of(cls, first: ArrayLike, second: ArrayLike) -> PairedComparison:
        """Count the pairs of two boolean arrays of one length."""
        a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
        return cls(only_first=int(np.sum(a & ~b)), only_second=int(np.sum(~a & b)), n=len(a))

    @property
    def difference(self) -> float:
        """Success of the second minus success of the first."""
        return (self.only_second - self.only_first) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % score interval of the difference.

        Source: Tango (1998), Statistics in Medicine 17, 891-908.
        """
        return tango_interval(self.only_second, self.only_first, self.n, level=0.95)

    @property
    def p_value(self) -> float:
        """Exact McNemar test, two-sided; 1.0 when no pair differs."""
        return mcnemar_exact(self.only_first, self.only_second).pvalue


@dataclass(frozen=True, kw_only=True)
class AnytimeComparison:
    """Two conditions on common seeds, looked at as often as one likes.

    Source: Waudby-Smith and Ramdas (2024), JRSS B 86(1), 1-27: a confidence sequence by betting.
    """

    n: int
    """Pairs so far."""
    interval: tuple[float, float]
    """Interval of ``second - first``: with 95 % probability it holds the true difference at *every* look."""
    p_value: float
    """Smallest evidence so far that there is no difference; valid whenever one stops."""
    decided_at: int | None
    """Number of pairs at which a difference was first shown; None if none is."""


def anytime_comparison(first: ArrayLike, second: ArrayLike, alpha: float = 0.05) -> AnytimeComparison:
    """Compare in the order of the trials; the error rate is at most ``alpha`` however often it is looked at.

    Args:
        first: Outcomes under one condition in the order run, shape (n,), n at least 1.
        second: Outcomes under the other, same seeds, shape (n,).
        alpha: Error rate, (0, 1).
    """
    found = paired_anytime_test(np.asarray(second, dtype=float) - np.asarray(first, dtype=float), alpha)
    now = found.sequence.interval()
    return AnytimeComparison(
        n=found.n, interval=(now.low, now.high), p_value=found.test.pvalue, decided_at=found.rejected_at
    )


def paired_power(lost: float, gained: float, n: int, *, alpha: float = 0.05) -> float:
    """Probability that the exact McNemar test of ``n`` pairs shows a difference.

    By enumeration, as ``fieldtrial.stats.mcnemar_power`` has it, for all numbers of differing pairs at once.

    Args:
        lost: Probability that only the first succeeds, (0, 1).
        gained: Probability that only the second does, (0, 1).
        n: Pairs.
        alpha: Two-sided error rate, (0, 1).
    """
    differing = np.arange(n + 1)
    # The test rejects at b or fewer pairs of either kind.
    b = stats.binom.ppf(alpha / 2, differing, 0.5)
    b = np.where(2 * stats.binom.cdf(b, differing, 0.5) <= alpha + 1e-12, b, b - 1)
    share = lost / (lost + gained)
    rejects = stats.binom.cdf(b, differing, share) + stats.binom.cdf(b, differing, 1 - share)
    return float(stats.binom.pmf(differing, n, lost + gained) @ rejects)


def pairs_to_tell(lost: float, gained: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Pairs after which the exact McNemar test shows a difference with a given probability.

    Args:
        lost: Probability that only the first succeeds, (0, 1).
        gained: Probability that only the second does, (0, 1), other than ``lost``.
        alpha: Two-sided error rate, (0, 1).
        power: Probability of showing the difference, (0, 1).

    Returns:
        The number, to within the little by which exact power goes up and down from one number to the next.

    Raises:
        ConfigError: The probabilities are none, or equal.
    """
    fits = 0 < lost < 1 and 0 < gained < 1 and lost + gained <= 1 and lost != gained
    check(fits, "lost, gained", "different probabilities with a sum of at most 1", (lost, gained))
    enough = 8
    while paired_power(lost, gained, enough, alpha=alpha) < power:
        enough *= 2
    few = enough // 2
    while enough - few > 1:
        middle = (few + enough) // 2
        if paired_power(lost, gained, middle, alpha=alpha) < power:
            few = middle
        else:
            enough = middle
    return enough


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values for how many comparisons there are (Holm's step-down procedure)."""
    return adjust_pvalues(list(p_values), method="holm", alpha=0.05).adjusted if p_values else ()


@dataclass(frozen=True, kw_only=True)
class AssistedRate:
    """A success rate from few labelled trials and many predictions (prediction-powered inference, PPI++)."""

    value: float
    """Estimated rate."""
    low: float
    """Lower end of the 95 % interval (normal)."""
    high: float
    """Upper end."""
    weight: float
    """How much the predictions are trusted, [0, 1]: tuned for the least variance, 0 where they say nothing."""


def prediction_powered_rate(outcomes: ArrayLike, predicted: ArrayLike, elsewhere: ArrayLike) -> AssistedRate:
    """Estimate a rate from trials and from predictions, without trusting the predictions.

    Args:
        outcomes: Of the trials, booleans, shape (n,), n at least 2.
        predicted: Predictions for these trials, shape (n,).
        elsewhere: Predictions for many other draws from the same starts, shape (m,).
    """
    found = ppi_mean(
        np.asarray(outcomes, dtype=float), np.asarray(predicted, dtype=float), np.asarray(elsewhere, dtype=float)
    )
    return AssistedRate(value=found.estimate, low=found.interval.low, high=found.interval.high, weight=found.lam)


def paired_p_value(first: ArrayLike, second: ArrayLike) -> float:
    """Exact McNemar test of two boolean outcome arrays on common seeds.

    Args:
        first: Outcomes under one condition, shape (n,).
        second: Outcomes under the other, same seeds, shape (n,).

    Returns:
        Two-sided p-value; 1.0 when no pair differs.
    """
    return PairedComparison.of(first, second).p_value


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
