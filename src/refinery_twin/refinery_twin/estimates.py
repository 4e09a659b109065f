"""Simulated socket estimates: the true pose, a bias that is constant in a trial, and jitter on every estimate."""

from __future__ import annotations

import numpy as np

from refinery.rotations import Array, Poses

ESTIMATES_PER_POLICY_STEP = 2
"""Estimates per policy period: with one the clocks drift, and a tick may see an estimate twice."""


class SocketEstimator:
    """Draws noisy estimates of one socket pose; frames: base.

    Args:
        unjittered: Estimate without jitter (truth plus the trial's bias), batch of one.
        jitter_m: Half-range of the uniform error of every estimate, per axis, [m].
        rng: Source of the jitter.
    """

    def __init__(self, unjittered: Poses, jitter_m: float, rng: np.random.Generator) -> None:
        self.unjittered = unjittered
        """Mean of the estimates."""
        self._jitter_m = jitter_m
        self._rng = rng

    def next_position_m(self) -> Array:
        """Draw the position of one estimate, shape (3,), [m]; its orientation is that of :attr:`unjittered`."""
        return np.asarray(self.unjittered.pos_m[0] + self._rng.uniform(-1.0, 1.0, 3) * self._jitter_m)

    def next(self) -> Poses:
        """Draw one estimate, batch of one."""
        return Poses(pos_m=self.next_position_m()[None], quat_xyzw=self.unjittered.quat_xyzw)
