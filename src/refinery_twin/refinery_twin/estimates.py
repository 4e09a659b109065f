"""Simulated socket estimates: the true pose, a bias that is constant in a trial, and jitter on every estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.rotations import Poses
from refinery_sim.assembly.randomness import assembly_rng

ESTIMATES_PER_POLICY_STEP = 2
"""Estimates per policy period: with one the clocks drift, and a tick may see an estimate twice."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SocketEstimator:
    """Noisy estimates of one socket pose; frames: base.

    Each is a function of when it is made: neither a pause nor another reader changes those that come after.
    """

    unjittered: Poses
    """Estimate without jitter (truth plus the trial's bias), batch of one."""
    jitter_m: float
    """Half-range of the uniform error of every estimate, per axis, [m]."""
    seed: int
    """Of the trial, >= 0."""

    def at(self, *, step: int, attempt: int, tick: int) -> Poses:
        """Return one estimate, batch of one; its orientation is that of :attr:`unjittered`.

        Args:
            step: Index of the step of an assembly, else 0.
            attempt: Hand-overs to the policy in that step so far.
            tick: Estimates since the last one of them.
        """
        rng = assembly_rng(self.seed, step=step, attempt=attempt, purpose="jitter", tick=tick)
        off = rng.uniform(-1.0, 1.0, 3) * self.jitter_m
        return Poses(pos_m=np.asarray(self.unjittered.pos_m + off), quat_xyzw=self.unjittered.quat_xyzw)
