"""Decide from the search episodes whether fine-tuning is guided to where the policy fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.initial_state import Box
from refinery.rotations import Array
from refinery.statistics import held_out_bits
from refinery.success_model import SuccessModel
from refinery_sim_train.refine.success_fit import SuccessFitSpec, cross_validated

HARD_BELOW = 0.5
"""Predicted success under which an initial state counts into the hard region."""
LEAST_ENRICHMENT = 3.0
"""Least enrichment at which guidance pays; 1 is no better than uniform starts."""
LEAST_COST = 0.02
"""Least share of all episodes that is lost in the hard region at which guidance pays, [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class GuidanceEvidence:
    """What held-out predictions of the search episodes say about guidance."""

    bits: float
    """Held-out bits per episode that the success model gains over a constant; chance is about 0."""
    enrichment: float
    """Failure rate under starts weighted by predicted failure, over that of uniform starts."""
    cost: float
    """Share of all episodes that fail in the hard region, [0, 1]."""

    @property
    def pays(self) -> bool:
        """Whether training is guided: failures must be found well above chance, and cost enough to matter."""
        return self.enrichment >= LEAST_ENRICHMENT and self.cost >= LEAST_COST

    def __str__(self) -> str:
        """The decision with its reasons."""
        return (
            f"{'guided to' if self.pays else 'uniform starts, not guided to'} the hard region: starts weighted by "
            f"predicted failure fail {self.enrichment:.1f} times as often (guided from {LEAST_ENRICHMENT:.0f}), states "
            f"with predicted success under {HARD_BELOW} cost {100 * self.cost:.1f} points (guided from "
            f"{100 * LEAST_COST:.0f})"
        )


def in_hard_region(model: SuccessModel, theta: Array) -> NDArray[np.bool_]:
    """Tell which initial states (n, 9) a success model expects to fail rather than to succeed, shape (n,)."""
    return model.predict(theta).mean < HARD_BELOW


def hard_region_note(success: NDArray[np.bool_]) -> str:
    """Say what outcomes (n,) of the refined policy mean, in the region that was hard for the policy before training."""
    if not len(success):
        return "hard region: no validation episode starts there"
    learnt = success.mean() >= HARD_BELOW
    advice = "learnt" if learnt else "not learnt: avoid these starts (the bundle's start rule does)"
    return f"hard region: {success.sum()} of {len(success)} validation episodes won there; {advice}"


def measure_guidance(
    box: Box, theta: Array, success: NDArray[np.bool_], spec: SuccessFitSpec, seed: int
) -> GuidanceEvidence:
    """Measure on held-out episodes how well a success model finds failures, and what its hard region costs.

    Args:
        box: Deployment box.
        theta: Initial states of uniform starts, shape (n, 9).
        success: Their outcomes, shape (n,).
        spec: Settings of the model's fit.
        seed: Seed of the folds and fits.
    """
    predicted, constant = cross_validated(box, theta, success, spec, seed)
    failed, weight = ~success, 1 - predicted
    found = float(np.average(failed, weights=weight)) if weight.sum() > 0 else 0.0
    return GuidanceEvidence(
        bits=held_out_bits(success, predicted, constant),
        enrichment=found / max(float(failed.mean()), 1e-9),
        cost=float(np.mean(failed & (predicted < HARD_BELOW))),
    )
