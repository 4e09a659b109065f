"""Fit the success model: outcomes binned into local rates, a GP with per-bin noise and a length scale a dimension.

The defects of the released code are avoided (paper.md section 2c): inputs are scaled, the noise is modelled, hyper-
parameters are fitted, and rates of bins stand in for raw Bernoulli outcomes, which an exact GP cannot take in numbers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array
from refinery.statistics import held_out_bits
from refinery.success_model import SuccessModel


@dataclass(frozen=True, kw_only=True)
class SuccessFitSpec:
    """How outcomes are binned and the process is fitted."""

    per_bin: int = 6
    """Outcomes per bin on average."""
    max_bins: int = 250
    """Most bins; the cost of the fit grows with the cube."""
    restarts: int = 1
    """Extra starts of the hyper-parameter search."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.per_bin >= 1, "per_bin", "at least 1", self.per_bin)
        check(2 <= self.max_bins <= 2000, "max_bins", "2 to 2000", self.max_bins)


def fit_success_model(
    box: Box, theta: Array, success: NDArray[np.bool_], spec: SuccessFitSpec, seed: int
) -> SuccessModel:
    """Fit predicted success over the box.

    Args:
        box: Deployment box.
        theta: Evaluated initial states, shape (n, 6).
        success: Their outcomes, shape (n,).
        spec: Settings.
        seed: Of clustering and restarts.

    Returns:
        The model.
    """
    unit = box.to_unit(theta)
    bins = int(np.clip(len(theta) // spec.per_bin, 2, spec.max_bins))
    labels = KMeans(n_clusters=bins, n_init=1, random_state=seed).fit_predict(unit)
    counts = np.bincount(labels, minlength=bins).astype(np.float64)
    wins = np.bincount(labels, weights=success.astype(np.float64), minlength=bins)
    centres = np.stack([np.bincount(labels, weights=u, minlength=bins) for u in unit.T], axis=1) / counts[:, None]
    prior = float(np.clip(success.mean(), 0.01, 0.99))
    rates = wins / counts
    dim = unit.shape[1]
    # The noise of a bin must not depend on its own outcome (a bin of six successes would claim none and drag the
    # mean up):
    # first pass with the pooled variance, second with the variance at the first pass's smooth prediction.
    noise = prior * (1 - prior) / counts
    for _ in range(2):
        kernel = ConstantKernel(0.02, (1e-5, 1.0)) * RBF(np.full(dim, 0.5), (0.1, 20.0))
        process = GaussianProcessRegressor(kernel, alpha=noise, n_restarts_optimizer=spec.restarts, random_state=seed)
        with warnings.catch_warnings():
            # A dimension that does not matter drives its length scale to the bound: that is an answer, not a failure.
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(centres, rates - prior)
        smooth = np.clip(prior + process.predict(centres), 0.02, 0.98)
        noise_used, noise = noise, smooth * (1 - smooth) / counts
    fitted = process.kernel_
    return SuccessModel(
        inputs=centres,
        rates=rates,
        noise_variance=noise_used,
        prior_mean=prior,
        amplitude=float(np.sqrt(fitted.k1.constant_value)),
        length_scales=np.atleast_1d(np.asarray(fitted.k2.length_scale, dtype=np.float64)),
        box=box,
    )


def cross_validated_bits(
    box: Box, theta: Array, success: NDArray[np.bool_], spec: SuccessFitSpec, seed: int, folds: int = 5
) -> float:
    """Held-out bits per rollout the model gains over the constant rate: the structure it found (chance is about 0)."""
    order = np.random.default_rng(seed).permutation(len(theta))
    predicted, baseline = np.zeros(len(theta)), np.zeros(len(theta))
    for held in np.array_split(order, folds):
        train = np.setdiff1d(order, held)
        model = fit_success_model(box, theta[train], success[train], spec, seed)
        predicted[held] = model.predict(theta[held]).mean
        baseline[held] = success[train].mean()
    return held_out_bits(success, predicted, baseline)
