"""Choose where to fine-tune: acquisition functions over the success model, diverse batches, a uniform share.

The three of the paper's code are failure seeking (minimisation of success): UCB, PI, EI; the fourth asks where the
outcome is undecided, p(1-p). Source of the forms: the paper's released ``automate_algo_utils.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array
from refinery.success_model import SuccessModel

ACQUISITIONS = ("ucb", "pi", "ei", "uncertainty")
"""Names of the acquisition functions."""


@dataclass(frozen=True, kw_only=True)
class AcquisitionSpec:
    """Settings of the choice of initial states for fine-tuning."""

    function: str = "ucb"
    """One of ucb, pi, ei, uncertainty. The last, p(1-p), passes over what always fails."""
    kappa: float = 0.5
    """Weight of the model's uncertainty in ucb."""
    xi: float = 0.01
    """Margin of pi and ei."""
    uniform_share: float = 0.3
    """Share of uniform draws, against forgetting, [0, 1]."""
    candidates: int = 4096
    """Uniform candidates scored per fit."""
    temperature: float = 1.0
    """Draws are proportional to the score to the power 1/temperature, (0, 10]: at 1 about to predicted failure. Sharper
    ones go to where nothing can be won yet, and learn less (docs/decisions.md, "Acquisition")."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.function in ACQUISITIONS, "function", f"one of {', '.join(ACQUISITIONS)}", self.function)
        check(0 <= self.uniform_share <= 1, "uniform_share", "a share in [0, 1]", self.uniform_share)
        check(self.candidates >= 64, "candidates", "at least 64", self.candidates)
        check(0 < self.temperature <= 10, "temperature", "in (0, 10]", self.temperature)


def score(model: SuccessModel, theta: Array, spec: AcquisitionSpec) -> Array:
    """Non-negative score of initial states (B, 9): larger is more worth training on."""
    prediction = model.predict(theta)
    mean, std = prediction.mean, prediction.std
    if spec.function == "uncertainty":
        return mean * (1 - mean) + std**2
    if spec.function == "ucb":
        return (1 - mean) + spec.kappa * std
    best = 0.0
    z = (best - mean - spec.xi) / np.maximum(std, 1e-9)
    if spec.function == "pi":
        return np.asarray(stats.norm.cdf(z))
    return np.maximum((best - mean - spec.xi) * stats.norm.cdf(z) + std * stats.norm.pdf(z), 0.0)


class Acquirer:
    """Draws initial states for fine-tuning; usable as the source of :class:`refinery_sim_train.learn.ppo.PpoTraining`.

    Diverse by construction: states are drawn in proportion to their score from many uniform candidates, never the
    top K.

    Args:
        model: Fitted success model.
        box: Deployment box.
        spec: Settings.
        seed: Seed of the candidates.
    """

    def __init__(self, model: SuccessModel, box: Box, spec: AcquisitionSpec, seed: int) -> None:
        self._box, self._uniform = box, spec.uniform_share
        self._theta = box.uniform(spec.candidates, np.random.default_rng(seed))
        scores = score(model, self._theta, spec)
        if spec.function in ("pi", "ei"):
            # Their values span decades; ranks keep the order and a usable batch.
            scores = stats.rankdata(scores) / len(scores)
            scores = scores**4
        powered = np.maximum(scores, 0.0) ** (1.0 / spec.temperature)
        total = powered.sum()
        self.weights = powered / total if total > 0 else np.full(len(powered), 1.0 / len(powered))
        """Probability of each candidate, shape (candidates,)."""

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states."""
        theta = self._theta[rng.choice(len(self._theta), size=count, p=self.weights)]
        uniform = rng.random(count) < self._uniform
        theta[uniform] = self._box.uniform(int(uniform.sum()), rng)
        return theta
