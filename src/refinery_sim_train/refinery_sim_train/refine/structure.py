"""Does success depend on where a policy starts? Four measures, each with its permutation null.

A measure without its null is worthless here: the best of many cells looks good by chance alone. The null is the same
computation on shuffled outcomes; what lies inside its 95 % range is no structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.initial_state import Box
from refinery.rotations import Array
from refinery_sim_train.refine.success_fit import SuccessFitSpec, cross_validated_bits, fit_success_model

Successes = NDArray[np.bool_]
CELLS = 5
"""Cells per dimension of the two-dimensional maps."""
SPLITS = 4
"""Random halvings that the choices are averaged over."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A statistic and its permutation null."""

    value: float
    """Value on the actual outcomes."""
    null_mean: float
    """Mean on shuffled outcomes."""
    null_95: float
    """The 95th percentile on shuffled outcomes (the 5th where smaller means more structure)."""

    def to_json(self) -> dict[str, float]:
        """Rounded for results files."""
        return {key: round(value, 4) for key, value in vars(self).items()}


@dataclass(frozen=True, kw_only=True)
class Structure:
    """How far success depends on the initial state."""

    index: Measure
    """Variance of success between cells over the binomial expectation, largest over pairs of dimensions; 1 is none."""
    index_pair: tuple[str, str]
    """Pair of dimensions with the largest index."""
    bits: Measure
    """Held-out bits per rollout that the success model gains over the constant rate, 5-fold."""
    best_tenth: Measure
    """Success in the tenth of states with the highest predicted success, chosen on one half, measured on the other."""
    worst_fifth: Measure
    """Share of the failures in the fifth with the lowest predicted success, measured likewise."""
    worst_tenth_rate: float
    """Success in the tenth with the lowest predicted success, measured likewise."""

    def to_json(self) -> dict[str, Any]:
        """Values for results files."""
        measures = {key: value.to_json() for key, value in vars(self).items() if isinstance(value, Measure)}
        return measures | {"index_pair": list(self.index_pair), "worst_tenth_rate": round(self.worst_tenth_rate, 4)}


def measure_structure(
    box: Box, theta: Array, success: Successes, fit: SuccessFitSpec, seed: int, permutations: int = 20
) -> Structure:
    """Measure structure on evaluated episodes.

    Args:
        box: Deployment box the episodes were drawn from, uniformly.
        theta: Initial states, shape (n, 9).
        success: Successes, shape (n,).
        fit: Settings of the success model.
        seed: Seed of folds, halves and shuffles.
        permutations: Shuffles for the model's measures; the cheap index takes ten times as many.

    Returns:
        The measures.
    """
    rng = np.random.default_rng(seed)
    unit = box.to_unit(theta)
    names = box.free_names
    pairs = list(combinations(range(len(names)), 2)) or [(0, 0)]

    def best_pair(outcomes: Successes) -> tuple[float, tuple[int, int]]:
        return max((_cell_index(unit[:, pair], outcomes), pair) for pair in pairs)

    def halves(outcomes: Successes) -> tuple[float, float, float]:
        return _chosen_on_halves(box, theta, outcomes, fit, seed)

    index, pair = best_pair(success)
    null_index = [best_pair(rng.permutation(success))[0] for _ in range(10 * permutations)]
    chosen = halves(success)
    shuffled = [rng.permutation(success) for _ in range(permutations)]
    null_chosen = np.array([halves(outcomes) for outcomes in shuffled])

    def bits(outcomes: Successes) -> float:
        return cross_validated_bits(box, theta, outcomes, fit, seed)

    return Structure(
        index=_with_null(index, null_index),
        index_pair=(names[pair[0]], names[pair[1]]),
        bits=_with_null(bits(success), [bits(outcomes) for outcomes in shuffled]),
        best_tenth=_with_null(chosen[0], null_chosen[:, 0].tolist()),
        worst_fifth=_with_null(chosen[1], null_chosen[:, 1].tolist()),
        worst_tenth_rate=chosen[2],
    )


def _with_null(value: float, null: list[float]) -> Measure:
    return Measure(value=value, null_mean=float(np.mean(null)), null_95=float(np.percentile(null, 95)))


def _cell_index(unit: Array, success: Successes) -> float:
    """Weighted variance of cell rates over what a binomial with one common rate gives; 1 is no structure."""
    cells = np.minimum((unit * CELLS).astype(int), CELLS - 1) @ [CELLS, 1]
    counts = np.bincount(cells, minlength=CELLS**2)
    wins = np.bincount(cells, weights=success, minlength=CELLS**2)
    p = success.mean()
    used = counts > 0
    if p in (0.0, 1.0) or used.sum() < 2:
        return 1.0
    chi2 = np.sum((wins[used] - counts[used] * p) ** 2 / (counts[used] * p * (1 - p)))
    return float(chi2 / (used.sum() - 1))


def _chosen_on_halves(
    box: Box, theta: Array, success: Successes, fit: SuccessFitSpec, seed: int
) -> tuple[float, float, float]:
    """Success of the best tenth, share of failures in the worst fifth, success of the worst tenth."""
    rng = np.random.default_rng([seed, 7])
    best, share, worst = [], [], []
    for _ in range(SPLITS):
        order = rng.permutation(len(theta))
        first, second = np.array_split(order, 2)
        model = fit_success_model(box, theta[first], success[first], fit, seed)
        ranked = second[np.argsort(-model.predict(theta[second]).mean, kind="stable")]
        best.append(success[ranked[: len(ranked) // 10]].mean())
        failures = max(int((~success[second]).sum()), 1)
        share.append((~success[ranked[-(len(ranked) // 5) :]]).sum() / failures)
        worst.append(success[ranked[-(len(ranked) // 10) :]].mean())
    return float(np.mean(best)), float(np.mean(share)), float(np.mean(worst))
