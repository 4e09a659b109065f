"""Rules that choose where the robot starts, from evaluated episodes of the policy that will run.

The paper's rule is a mixture over successes. It ranks by density, so it moves little once success is common; the other
mixture here is fitted to the part of the box where the success model predicts most, and so takes failures into account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.config import check
from refinery.initial_state import Box
from refinery.mixture import Mixture
from refinery.rotations import Array
from refinery.success_model import SuccessModel
from refinery_sim_train.refine.mixture_fit import MixtureFitSpec, fit_mixture

Draw = Callable[[int, np.random.Generator], Array]
"""Draws (count, 9) initial states."""


@dataclass(frozen=True, kw_only=True)
class StartSpec:
    """Settings of the rules."""

    candidates: int = 20_000
    """Uniform candidates ranked by the success model."""
    top_share: float = 0.05
    """Share of the box that ``model_top`` draws from, (0, 1]."""
    level_share: float = 0.15
    """Share of the box that the superlevel mixture is fitted to, (0, 1]: wide enough to leave the robot a choice."""
    cells: int = 3
    """Cells per dimension of ``best_cell``."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 < self.top_share <= 1, "top_share", "a share in (0, 1]", self.top_share)
        check(0 < self.level_share <= 1, "level_share", "a share in (0, 1]", self.level_share)
        check(self.candidates >= 1000, "candidates", "at least 1000", self.candidates)


@dataclass(frozen=True, kw_only=True)
class StartRules:
    """All rules, fitted on the same episodes."""

    draws: dict[str, Draw]
    """Draw function of each rule: uniform, best_cell, resampled, mixture, superlevel, model_top."""
    mixtures: dict[str, Mixture]
    """The mixtures among them: mixture, superlevel."""
    selections: dict[str, dict[str, Any]]
    """Selection of the number of components of each mixture."""


def fit_start_rules(
    box: Box,
    theta: Array,
    success: NDArray[np.bool_],
    model: SuccessModel,
    mixture: MixtureFitSpec,
    spec: StartSpec,
    seed: int,
) -> StartRules:
    """Fit every rule.

    Args:
        box: Deployment box.
        theta: Evaluated initial states of the final policy, uniform over the box, shape (n, 9).
        success: Their outcomes, shape (n,).
        model: Success model fitted on them.
        mixture: Settings of the mixtures.
        spec: Settings of the rules.
        seed: Seed of candidates and fits.

    Returns:
        The rules.
    """
    rng = np.random.default_rng([seed, 11])
    candidates = box.uniform(spec.candidates, rng)
    ranked = candidates[np.argsort(-model.predict(candidates).mean, kind="stable")]
    top = ranked[: max(1, round(spec.top_share * len(ranked)))]
    # A fit needs no more points than this to find the shape of a region.
    level = rng.permutation(ranked[: max(1, round(spec.level_share * len(ranked)))])[:1500]
    paper, paper_selection = fit_mixture(box, theta, success, mixture, seed)
    superlevel, superlevel_selection = fit_mixture(box, level, np.ones(len(level), dtype=bool), mixture, seed)
    superlevel_selection["fitted_on"] = (
        f"the {100 * spec.level_share:.0f} % of the box where the success model predicts most"
    )
    wins = theta[success]
    cell = _best_cell(box, theta, success, model, spec.cells)

    def resampled(count: int, rng: np.random.Generator) -> Array:
        return wins[rng.integers(len(wins), size=count)]

    def model_top(count: int, rng: np.random.Generator) -> Array:
        return top[rng.integers(len(top), size=count)]

    return StartRules(
        draws={
            "uniform": box.uniform,
            "best_cell": cell.uniform,
            "resampled": resampled,
            "mixture": paper.sample,
            "superlevel": superlevel.sample,
            "model_top": model_top,
        },
        mixtures={"mixture": paper, "superlevel": superlevel},
        selections={"mixture": paper_selection, "superlevel": superlevel_selection},
    )


def _best_cell(box: Box, theta: Array, success: NDArray[np.bool_], model: SuccessModel, cells: int) -> Box:
    """The cell of a grid over the two dimensions that matter most to the model with the highest observed success."""
    unit = box.to_unit(theta)
    dims = np.argsort(model.length_scales)[:2]
    index = np.minimum((unit[:, dims] * cells).astype(int), cells - 1)
    flat = index @ (cells ** np.arange(len(dims)))
    counts = np.bincount(flat, minlength=cells ** len(dims))
    # One success and one failure are added to every cell, so that a lucky cell of three does not win.
    rates = (np.bincount(flat, weights=success, minlength=len(counts)) + 1) / (counts + 2)
    best = int(np.argmax(rates))
    low, high = box.low.copy(), box.high.copy()
    for position, dim in enumerate(box.free[dims]):
        step = (box.high[dim] - box.low[dim]) / cells
        low[dim] = box.low[dim] + (best // cells**position % cells) * step
        high[dim] = low[dim] + step
    return Box(low=low, high=high)
