"""Predicted success over initial states: a heteroscedastic Gaussian process, evaluated from plain numbers.

Fitted offline (``refinery_sim_train.refine.success_fit``) on outcomes of evaluated episodes; this module only
evaluates it, so the nodes need no scikit-learn model file and nothing is unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from refinery.config import check
from refinery.initial_state import Box
from refinery.rotations import Array


@dataclass(frozen=True, kw_only=True)
class SuccessPrediction:
    """Predicted success of a batch of initial states."""

    mean: Array
    """Expected success rate in [0, 1], shape (B,)."""
    low: Array
    """Lower end of the 95 % interval of the rate, shape (B,)."""
    high: Array
    """Upper end, shape (B,)."""
    std: Array
    """Standard deviation of the rate (model uncertainty, without the binomial noise of a rollout), shape (B,)."""


@dataclass(frozen=True, kw_only=True)
class SuccessModel:
    """GP posterior with a constant mean and an anisotropic RBF kernel over the unit box."""

    inputs: Array
    """Evaluated initial states in unit-box coordinates, shape (N, D)."""
    rates: Array
    """Their outcomes, 0 or 1 (or success rates of repeated trials), shape (N,)."""
    noise_variance: Array
    """Variance of each outcome under the fitted success there, shape (N,)."""
    prior_mean: float
    """Constant mean, the overall success rate."""
    amplitude: float
    """Prior standard deviation of the rate."""
    length_scales: Array
    """Length scale of each free dimension in unit-box coordinates, shape (D,)."""
    box: Box
    """The deployment box that the unit box stands for."""

    def __post_init__(self) -> None:
        """Validate shapes and factorise the kernel matrix once."""
        n, dim = len(self.inputs), len(self.box.free)
        check(self.inputs.shape == (n, dim) and n >= 1, "inputs", f"shape (N, {dim})", self.inputs.shape)
        check(self.rates.shape == (n,), "rates", f"shape ({n},)", self.rates.shape)
        check(self.noise_variance.shape == (n,), "noise_variance", f"shape ({n},)", self.noise_variance.shape)
        check(self.length_scales.shape == (dim,), "length_scales", f"shape ({dim},)", self.length_scales.shape)
        for name in ("inputs", "rates", "noise_variance", "length_scales"):
            check(bool(np.all(np.isfinite(getattr(self, name)))), name, "finite numbers", "NaN or infinity")
        check(bool(np.all(self.length_scales > 0)), "length_scales", "positive", self.length_scales.tolist())
        check(bool(np.all(self.noise_variance > 0)), "noise_variance", "positive", "zero or negative")
        check(0 < self.amplitude < 10, "amplitude", "a value in (0, 10)", self.amplitude)
        check(0 <= self.prior_mean <= 1, "prior_mean", "a rate in [0, 1]", self.prior_mean)
        kernel = self._kernel(self.inputs, self.inputs) + np.diag(self.noise_variance)
        factor = linalg.cho_factor(kernel, lower=True)
        object.__setattr__(self, "_factor", factor)
        object.__setattr__(self, "_alpha", linalg.cho_solve(factor, self.rates - self.prior_mean))

    def _kernel(self, a: Array, b: Array) -> Array:
        difference = (a[:, None, :] - b[None, :, :]) / self.length_scales
        kernel: Array = self.amplitude**2 * np.exp(-0.5 * np.sum(difference**2, axis=2))
        return kernel

    def predict(self, theta: Array) -> SuccessPrediction:
        """Predict the success rate of initial states (B, 9)."""
        cross = self._kernel(self.box.to_unit(theta), self.inputs)
        mean = self.prior_mean + cross @ self._alpha  # type: ignore[attr-defined]
        reduced = linalg.cho_solve(self._factor, cross.T)  # type: ignore[attr-defined]
        variance = np.maximum(self.amplitude**2 - np.einsum("ij,ji->i", cross, reduced), 1e-12)
        std = np.sqrt(variance)
        return SuccessPrediction(
            mean=np.clip(mean, 0.0, 1.0),
            low=np.clip(mean - 1.96 * std, 0.0, 1.0),
            high=np.clip(mean + 1.96 * std, 0.0, 1.0),
            std=std,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers for ``initial_states.json``."""
        return {
            "kind": "gp_rbf",
            "coordinates": "unit box of " + ", ".join(self.box.free_names),
            "inputs": self.inputs.tolist(),
            "rates": self.rates.tolist(),
            "noise_variance": self.noise_variance.tolist(),
            "prior_mean": self.prior_mean,
            "amplitude": self.amplitude,
            "length_scales": self.length_scales.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], box: Box) -> SuccessModel:
        """Inverse of :meth:`to_json`; raises ConfigError, KeyError, TypeError or ValueError on malformed data."""
        return cls(
            inputs=np.asarray(data["inputs"], dtype=np.float64),
            rates=np.asarray(data["rates"], dtype=np.float64),
            noise_variance=np.asarray(data["noise_variance"], dtype=np.float64),
            prior_mean=float(data["prior_mean"]),
            amplitude=float(data["amplitude"]),
            length_scales=np.asarray(data["length_scales"], dtype=np.float64),
            box=box,
        )
