"""Sample sizes: comparison of two proportions, two-sided test at 5 %, 80 % power."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats

from refinery.config import check

LEVEL = 0.05
"""Two-sided significance level."""
POWER = 0.8
"""Probability of detecting a difference that exists."""


def trials_to_tell(first: float, second: float, *, level: float = LEVEL) -> int:
    """Trials of each kind needed to distinguish two success rates (normal approximation, equal groups).

    Source: Fleiss, Levin, Paik (2003), Statistical Methods for Rates and Proportions, section 4.2, without continuity
    correction.

    Args:
        first: One true success rate, [0, 1].
        second: The other, different from the first.
        level: Two-sided significance level, (0, 1).

    Returns:
        Trials per group.
    """
    check(0 <= first <= 1 and 0 <= second <= 1, "first", "rates in [0, 1]", (first, second))
    check(first != second, "second", "a rate that differs from the first", second)
    pooled = (first + second) / 2
    spread = first * (1 - first) + second * (1 - second)
    z_level, z_power = stats.norm.ppf([1 - level / 2, POWER])
    needed = (z_level * np.sqrt(2 * pooled * (1 - pooled)) + z_power * np.sqrt(spread)) / (first - second)
    return math.ceil(float(needed) ** 2)


def detectable_from(rate: float, trials: int) -> float | None:
    """Return the smallest higher success rate that ``trials`` of each kind would reliably distinguish from ``rate``.

    Args:
        rate: The worse true success rate, [0, 1].
        trials: Trials per group.

    Returns:
        The better rate, or None if not even 100 % could be distinguished from ``rate``.
    """
    if rate >= 1 or trials_to_tell(rate, 1.0) > trials:
        return None
    # The number of trials falls monotonically as the better rate moves away from the worse one.
    smallest = rate + 1e-3 * (1 - rate)
    if trials_to_tell(rate, smallest) <= trials:
        return smallest
    found = optimize.brentq(lambda better: trials_to_tell(rate, better) - trials - 0.5, smallest, 1.0, xtol=1e-4)
    return float(found)
