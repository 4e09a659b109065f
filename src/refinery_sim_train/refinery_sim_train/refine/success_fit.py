"""Fit the success model: a Gaussian process on single outcomes, with a length scale per dimension and binomial noise.

The defects of the released code are avoided: inputs are scaled, hyper-parameters fitted, and the
noise is binomial, so that it depends on the initial state. Outcomes are taken one by one: binning them first cost a
third of the held-out information (docs/decisions.md, "Success model").
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array
from refinery.success_model import SuccessModel

LEAST_VARIANCE = 0.03
"""Least noise variance of an outcome: nowhere is success taken for surer than 97 %, so that a failure still counts."""


@dataclass(frozen=True, kw_only=True)
class SuccessFitSpec:
    """Settings of the Gaussian process's fit."""

    max_points: int = 2000
    """Newest outcomes used; the cost of the fit grows with the cube."""
    search_points: int = 400
    """Outcomes, drawn at random, that the hyper-parameters are searched on."""
    restarts: int = 0
    """Extra starts of that search."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(16 <= self.max_points <= 4000, "max_points", "16 to 4000", self.max_points)
        check(16 <= self.search_points <= 2000, "search_points", "16 to 2000", self.search_points)
        check(0 <= self.restarts <= 20, "restarts", "0 to 20", self.restarts)


def fit_success_model(
    box: Box, theta: Array, success: NDArray[np.bool_], spec: SuccessFitSpec, seed: int
) -> SuccessModel:
    """Fit predicted success over the box.

    Args:
        box: Deployment box.
        theta: Evaluated initial states, shape (n, 9), oldest first.
        success: Their outcomes, shape (n,).
        spec: Settings.
        seed: Seed of the choice of points and the restarts.

    Returns:
        The model.
    """
    unit = box.to_unit(theta)[-spec.max_points :]
    rate = success[-spec.max_points :].astype(np.float64)
    prior = float(np.clip(rate.mean(), 0.01, 0.99))
    pooled = np.full(len(rate), prior * (1 - prior))
    few = np.random.default_rng(seed).permutation(len(rate))[: spec.search_points]
    kernel = ConstantKernel(0.05, (1e-4, 1.0)) * RBF(np.full(unit.shape[1], 1.0), (0.2, 20.0))
    search = GaussianProcessRegressor(kernel, alpha=pooled[few], n_restarts_optimizer=spec.restarts, random_state=seed)
    with warnings.catch_warnings():
        # A dimension that does not matter drives its length scale to the bound: that is an answer, not a failure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(unit[few], rate[few] - prior)
    fitted = search.kernel_
    # The noise of an outcome must not come from that outcome alone, so it is read off the smooth pooled fit.
    smooth = GaussianProcessRegressor(fitted, alpha=pooled, optimizer=None).fit(unit, rate - prior)
    expected = np.clip(prior + smooth.predict(unit), 0.0, 1.0)
    return SuccessModel(
        inputs=unit,
        rates=rate,
        noise_variance=np.maximum(expected * (1 - expected), LEAST_VARIANCE),
        prior_mean=prior,
        amplitude=float(np.sqrt(fitted.k1.constant_value)),
        length_scales=np.atleast_1d(np.asarray(fitted.k2.length_scale, dtype=np.float64)),
        box=box,
    )


def cross_validated(
    box: Box, theta: Array, success: NDArray[np.bool_], spec: SuccessFitSpec, seed: int, folds: int = 5
) -> tuple[Array, Array]:
    """Predict every outcome from the other folds: by the model, and by their constant rate, shapes (n,), [0, 1]."""
    order = np.random.default_rng(seed).permutation(len(theta))
    predicted, constant = np.zeros(len(theta)), np.zeros(len(theta))
    for held in np.array_split(order, folds):
        train = np.setdiff1d(order, held)
        model = fit_success_model(box, theta[train], success[train], spec, seed)
        predicted[held] = model.predict(theta[held]).mean
        constant[held] = success[train].mean()
    return predicted, constant
