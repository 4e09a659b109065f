"""Real success = simulated success + an offset + a smooth error, in one Gaussian process over the residuals.

The two information sources are those of Marco et al. (2017, arXiv 1703.01250). The simulated model is kept as it is,
with its own uncertainty added to the binomial noise of a trial. Under 50 trials only the offset moves: fewer cannot
tell a shape from luck. Amplitudes and length scales of offset and error are priors and not fitted.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from refinery.config import check
from refinery.rotations import Array
from refinery.success_model import SuccessModel
from refinery_evaluation.refit.real_trials import RealTrials

SMOOTH_FROM = 50
"""Real trials from which on the error may have a shape."""
OFFSET = 0.2
"""Prior standard deviation of the offset of the success rate."""
ERROR = 0.15
"""Prior standard deviation of the smooth error of the success rate."""
STRETCH = 2.0
"""The smooth error varies over so many times the length scales of simulated success."""
LEAST_VARIANCE = 0.03
"""Least noise variance of a trial's outcome, as in the simulated fit."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What real trials say about a simulated success model."""

    model: SuccessModel
    """The corrected model."""
    offset: float
    """Posterior mean of real minus simulated success."""
    offset_std: float
    """Its standard deviation."""
    pull: Array
    """What each trial contributes to :attr:`offset`, shape (n,); they add up to it."""
    smooth: bool
    """Whether the error was given a shape."""


def correct(model: SuccessModel, trials: RealTrials) -> Correction:
    """Correct a simulated success model by real trials.

    Args:
        model: The simulated one.
        trials: At least one.

    Raises:
        ConfigError: There is no trial.
    """
    count = len(trials.success)
    check(count >= 1, "trials", "at least one that says something about its start", count)
    smooth = count >= SMOOTH_FROM
    unit, predicted = model.box.to_unit(trials.theta), model.predict(trials.theta)
    residual = trials.success.astype(float) - predicted.mean
    noise = np.maximum(predicted.mean * (1 - predicted.mean), LEAST_VARIANCE) + predicted.std**2
    kernel = OFFSET**2 + np.diag(noise) + (_error(model, unit, unit) if smooth else 0.0)
    factor = linalg.cho_factor(kernel, lower=True)
    weights = OFFSET**2 * linalg.cho_solve(factor, np.ones(count))
    pull = weights * residual
    offset = float(pull.sum())
    shift = np.full(len(model.inputs), offset)
    if smooth:
        shift += _error(model, model.inputs, unit) @ linalg.cho_solve(factor, residual)
    corrected = dataclasses.replace(
        model, rates=model.rates + shift, prior_mean=float(np.clip(model.prior_mean + offset, 0.0, 1.0))
    )
    return Correction(
        model=corrected,
        offset=offset,
        offset_std=float(np.sqrt(max(OFFSET**2 * (1 - weights.sum()), 0.0))),
        pull=pull,
        smooth=smooth,
    )


def _error(model: SuccessModel, a: Array, b: Array) -> Array:
    """Prior covariance of the smooth error between two sets of states in unit-box coordinates."""
    difference = (a[:, None, :] - b[None, :, :]) / (STRETCH * model.length_scales)
    covariance: Array = ERROR**2 * np.exp(-0.5 * np.sum(difference**2, axis=2))
    return covariance
