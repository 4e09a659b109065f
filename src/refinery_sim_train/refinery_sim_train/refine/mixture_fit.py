"""Fit the mixture over a policy's successful initial states; the number of components by held-out likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_score

from refinery.config import check
from refinery.errors import RefineryError
from refinery.initial_state import Box
from refinery.mixture import Mixture
from refinery.rotations import Array


@dataclass(frozen=True, kw_only=True)
class MixtureFitSpec:
    """Settings of the fit."""

    max_components: int = 5
    """Most components tried."""
    folds: int = 5
    """Folds of the held-out likelihood."""
    min_std: float = 0.03
    """Least standard deviation in unit-box coordinates, so that the robot keeps a choice of starts."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(1 <= self.max_components <= 50, "max_components", "1 to 50", self.max_components)
        check(self.folds >= 2, "folds", "at least 2", self.folds)


def fit_mixture(
    box: Box, theta: Array, success: NDArray[np.bool_], spec: MixtureFitSpec, seed: int
) -> tuple[Mixture, dict[str, Any]]:
    """Fit a Gaussian mixture on the successful initial states (the paper's deployment-time model).

    Args:
        box: Deployment box.
        theta: Evaluated initial states, shape (n, 6).
        success: Their outcomes, shape (n,).
        spec: Settings.
        seed: Seed of the fit.

    Returns:
        The mixture and how it was selected (held-out log-likelihood per point of every count tried).

    Raises:
        RefineryError: Too few successes to fit anything.
    """
    wins = box.to_unit(theta[success])
    dim = wins.shape[1]
    if len(wins) < 4 * dim:
        raise RefineryError(
            f"{len(wins)} successes in {len(theta)} episodes: a mixture over {dim} dimensions needs at least "
            f"{4 * dim}; evaluate more episodes or train a better base policy"
        )
    held_out: dict[int, float] = {}
    for count in range(1, spec.max_components + 1):
        if len(wins) < 4 * dim * count:
            break
        model = GaussianMixture(count, reg_covar=spec.min_std**2, random_state=seed, n_init=2)
        held_out[count] = float(np.mean(cross_val_score(model, wins, cv=spec.folds)))
    best = max(held_out, key=lambda count: held_out[count])
    fitted = GaussianMixture(best, reg_covar=spec.min_std**2, random_state=seed, n_init=5).fit(wins)
    mixture = Mixture(weights=fitted.weights_, means=fitted.means_, covariances=fitted.covariances_, box=box)
    selection = {
        "components": best,
        "held_out_log_likelihood": {str(count): value for count, value in held_out.items()},
        "fitted_on": "strict successes of the final policy",
    }
    return mixture, selection
