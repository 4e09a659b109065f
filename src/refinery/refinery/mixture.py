"""Gaussian mixture over initial states, truncated to the deployment box (paper, deployment-time sampling).

Lives in unit-box coordinates of the free dimensions, so that millimetres and degrees weigh alike; fitted offline by
``refinery_sim_train``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array

_MAX_ROUNDS = 200


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A Gaussian mixture in unit-box coordinates."""

    weights: Array
    """Shares of the components, shape (K,), summing to 1."""
    means: Array
    """Means, shape (K, D), unit-box coordinates."""
    covariances: Array
    """Covariances, shape (K, D, D), positive definite."""
    box: Box
    """The deployment box that the unit box stands for."""

    def __post_init__(self) -> None:
        """Validate shapes, weights and covariances."""
        count, dim = len(self.weights), len(self.box.free)
        check(count >= 1 and self.weights.ndim == 1, "weights", "at least one component", self.weights.tolist())
        check(self.means.shape == (count, dim), "means", f"shape ({count}, {dim})", self.means.shape)
        check(
            self.covariances.shape == (count, dim, dim),
            "covariances",
            f"({count}, {dim}, {dim})",
            self.covariances.shape,
        )
        finite = all(bool(np.all(np.isfinite(a))) for a in (self.weights, self.means, self.covariances))
        check(finite, "means", "finite numbers", "NaN or infinity")
        ok = bool(np.all(self.weights >= 0)) and abs(float(self.weights.sum()) - 1) < 1e-6
        check(ok, "weights", "non-negative shares that sum to 1", self.weights.tolist())
        symmetric = np.allclose(self.covariances, self.covariances.transpose(0, 2, 1), atol=1e-9)
        check(symmetric, "covariances", "symmetric matrices", "asymmetric")
        check(float(np.linalg.eigvalsh(self.covariances).min()) > 0, "covariances", "positive definite", "singular")

    def log_likelihood(self, theta: Array) -> Array:
        """Log density with respect to the unit box (0 is uniform), shape (B,); not renormalised for the truncation."""
        unit = self.box.to_unit(theta)
        parts = [
            np.log(max(w, 1e-300)) + _normal_log_density(unit, m, c)
            for w, m, c in zip(self.weights, self.means, self.covariances, strict=True)
        ]
        result: Array = np.logaddexp.reduce(np.stack(parts), axis=0)
        return result

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Draw ``count`` initial states inside the box by rejection, shape (count, 9)."""
        kept = np.empty((0, self.means.shape[1]))
        for _ in range(_MAX_ROUNDS):
            pick = rng.choice(len(self.weights), size=max(64, 2 * count), p=self.weights / self.weights.sum())
            draw = np.empty((len(pick), self.means.shape[1]))
            for k in np.unique(pick):
                rows = np.flatnonzero(pick == k)
                draw[rows] = rng.multivariate_normal(self.means[k], self.covariances[k], size=len(rows))
            inside = np.all((draw >= 0) & (draw <= 1), axis=1)
            kept = np.vstack([kept, draw[inside]])
            if len(kept) >= count:
                return self.box.from_unit(kept[:count])
        check(False, "means", "a mixture with mass inside its box", f"{len(kept)} of {count} draws inside")
        raise AssertionError("unreachable")

    def to_json(self) -> dict[str, Any]:
        """Plain numbers for ``initial_states.json``."""
        return {
            "coordinates": "unit box of " + ", ".join(self.box.free_names),
            "weights": self.weights.tolist(),
            "means": self.means.tolist(),
            "covariances": self.covariances.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], box: Box) -> Mixture:
        """Inverse of :meth:`to_json`; raises ConfigError, KeyError, TypeError or ValueError on malformed data."""
        return cls(
            weights=np.asarray(data["weights"], dtype=np.float64),
            means=np.asarray(data["means"], dtype=np.float64),
            covariances=np.asarray(data["covariances"], dtype=np.float64),
            box=box,
        )


def _normal_log_density(x: Array, mean: Array, covariance: Array) -> Array:
    """Log density of a normal distribution at the rows of ``x`` (B, D), shape (B,).

    That of ``scipy.stats``, whose import takes a third of a node's start.
    """
    factor = np.linalg.cholesky(covariance)
    white = solve_triangular(factor, (x - mean).T, lower=True)
    normaliser = np.log(np.diag(factor)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)
    result: Array = -0.5 * np.sum(white**2, axis=0) - normaliser
    return result
