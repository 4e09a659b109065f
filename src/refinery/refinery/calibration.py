"""A socket estimate's constant error in a cell, learnt from where the holes of seated plugs were felt.

In a real cell most of the error of the socket estimate is the camera's and the fixture's: the same from trial to trial.
After a seated insertion the plug feels where the hole is (:mod:`refinery.centring`). This module estimates the constant
error in x and y of the base frame with its uncertainty; yaw is left alone, since the play of a seated plug about its
axis is many times the error.

The model is Gaussian: the error ``b ~ N(0, prior^2 I)``, an observation ``b + N(0, noise^2 I)``. Some reported
successes are none, so each observation is weighted by the probability that it is of a seated plug (a mixture with a
uniform background, fitted by expectation maximisation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refinery.config import check
from refinery.rotations import Array, Poses
from refinery.task import Task

_ROUNDS = 50
_PROBE_SHARE = 0.2
"""Error of a felt centre as a share of the clearance (measured on peg_rect: 0.03 along x, 0.16 along y)."""
_MAJORITY = 3
"""Of so many observations the median is believed, of fewer the prior."""
_WITHIN_SIGMA = 4.0
"""Recent observations farther from the older ones than this many standard deviations of their means mean a move."""


@dataclass(frozen=True, kw_only=True)
class CalibrationSpec:
    """How a correction is learnt and when it is forgotten."""

    prior_std_m: float
    """Standard deviation of the constant error per axis before anything was seen, [m]."""
    noise_std_m: float
    """Standard deviation per axis of one observation of it, [m]."""
    window: int = 20
    """Observations that are kept, the newest: more would not help the policy and would follow a slow drift later."""
    least: int = 1
    """Fewer observations that are believed correct nothing."""
    wrong_share: float = 0.1
    """Share of observations that may come from plugs that were not seated, [0, 0.5)."""
    wrong_reach_m: float = 0.005
    """Half-width of the square in which wrong observations lie, [m]."""
    moved_after: int = 3
    """So many newest observations that agree, but not with those before them, mean that the fixture moved."""
    failures: int = 4
    """So many failed insertions in a row, with a correction in place, forget it."""
    limit_sigmas: float = 3.0
    """The correction is never longer than this many prior standard deviations."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.prior_std_m > 0, "prior_std_m", "a positive length [m]", self.prior_std_m)
        check(self.noise_std_m > 0, "noise_std_m", "a positive length [m]", self.noise_std_m)
        check(1 <= self.least <= self.window, "least", f"1 to {self.window} (the window)", self.least)
        check(0 <= self.wrong_share < 0.5, "wrong_share", "a share in [0, 0.5)", self.wrong_share)
        check(self.wrong_reach_m > 0, "wrong_reach_m", "a positive length [m]", self.wrong_reach_m)
        check(self.moved_after >= 2, "moved_after", "at least 2", self.moved_after)
        check(self.failures >= 1, "failures", "at least 1", self.failures)
        check(self.limit_sigmas > 0, "limit_sigmas", "a positive number", self.limit_sigmas)

    @property
    def limit_m(self) -> float:
        """Longest correction, [m]."""
        return self.limit_sigmas * self.prior_std_m

    @classmethod
    def of(cls, task: Task) -> CalibrationSpec:
        """Derive the scales from a task: the estimate's bias; the error of a probe, and what jitter a mean keeps."""
        steps = max(1, task.control.episode_steps)
        probe_m, jitter_m = _PROBE_SHARE * task.socket.clearance_m, task.noise.estimate_jitter_m / math.sqrt(3 * steps)
        # A task may know no bias; then there is nothing to learn, and what is learnt stays near zero.
        return cls(prior_std_m=max(task.noise.estimate_bias_m, 1e-6), noise_std_m=math.hypot(probe_m, jitter_m))


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is known of the constant error."""

    offset_m: tuple[float, float]
    """To be subtracted from estimates: x and y in the base frame, [m]; zero while nothing is applied."""
    std_m: float
    """Standard deviation of what is left per axis, [m]."""
    observations: int
    """Seated insertions behind it, weighted by how much each is believed, rounded."""
    applied: bool
    """Whether there are enough of them."""

    def apply(self, estimate: Poses) -> Poses:
        """Correct socket estimates in the base frame, any batch."""
        return Poses(pos_m=estimate.pos_m - np.array([*self.offset_m, 0.0]), quat_xyzw=estimate.quat_xyzw)

    def apply_to(self, pos_m: Sequence[float]) -> tuple[float, float, float]:
        """Correct the position of one socket estimate in the base frame, three numbers, [m]."""
        x, y, z = pos_m
        dx, dy = self.offset_m
        return x - dx, y - dy, z

    def remove(self, corrected: Poses) -> Poses:
        """Undo :meth:`apply`."""
        return Poses(pos_m=corrected.pos_m + np.array([*self.offset_m, 0.0]), quat_xyzw=corrected.quat_xyzw)

    @property
    def description(self) -> str:
        """The correction in words."""
        if not self.applied:
            return "the socket estimate is not corrected: no seated insertion to learn from yet"
        x_mm, y_mm = (1e3 * offset for offset in self.offset_m)
        return (
            f"{x_mm:.2f}, {y_mm:.2f} mm are taken off the socket estimate, +- {1e3 * self.std_m:.2f} mm, learnt from "
            f"{self.observations} seated insertions"
        )


class SocketCalibration:
    """Learns the constant error of a cell's socket estimate.

    Args:
        spec: How it learns and forgets.
        observations: Earlier observations of the same cell, shape (n, 2), [m], the oldest first.
    """

    def __init__(self, spec: CalibrationSpec, observations: Sequence[Sequence[float]] = ()) -> None:
        self.spec = spec
        self._observations = [(float(x), float(y)) for x, y in observations][-spec.window :]
        self._failures = 0
        self.forgotten = 0
        """How often everything learnt was forgotten."""

    @property
    def observations_m(self) -> Array:
        """What is kept, shape (n, 2), [m]."""
        return np.array(self._observations).reshape(-1, 2)

    def seated(self, estimate: Poses, centre_m: Array) -> None:
        """Learn from an insertion that ended seated beyond doubt.

        Args:
            estimate: Mean of the socket estimates, uncorrected, base frame, batch of one.
            centre_m: Where the hole was felt, base frame, shape (3,), [m].
        """
        x, y = (estimate.pos_m[0] - centre_m)[:2].tolist()
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        self._failures = 0
        self._observations.append((x, y))
        del self._observations[: -self.spec.window]
        if self._moved():
            del self._observations[: -self.spec.moved_after]
            self.forgotten += 1

    def failed(self) -> None:
        """Note an insertion that ended otherwise: it teaches nothing, but several in a row question the correction."""
        self._failures += 1
        if self._failures >= self.spec.failures and len(self._observations) >= self.spec.least:
            self.forget()

    def forget(self) -> None:
        """Start anew, as after the fixture or the camera was moved."""
        self._observations.clear()
        self._failures, self.forgotten = 0, self.forgotten + 1

    def correction(self) -> Correction:
        """What estimates are to be corrected by now."""
        seen, spec = self.observations_m, self.spec
        if len(seen) < spec.least:
            return Correction(offset_m=(0.0, 0.0), std_m=spec.prior_std_m, observations=len(seen), applied=False)
        mean, std_m, weight = posterior(seen, spec)
        believed = round(weight)
        if believed < spec.least:
            return Correction(offset_m=(0.0, 0.0), std_m=spec.prior_std_m, observations=believed, applied=False)
        length = float(np.hypot(*mean))
        if length > spec.limit_m:
            mean = mean * (spec.limit_m / length)
        return Correction(offset_m=(float(mean[0]), float(mean[1])), std_m=std_m, observations=believed, applied=True)

    def _moved(self) -> bool:
        """Tell whether the newest observations agree with each other but not with those before."""
        count, seen = self.spec.moved_after, self.observations_m
        if len(seen) < count + self.spec.least:
            return False
        old, new = seen[:-count], seen[-count:]
        mean, std_m, _ = posterior(old, self.spec)
        together = np.abs(new - new.mean(axis=0)).max() <= _WITHIN_SIGMA * self.spec.noise_std_m
        apart = float(np.hypot(*(new.mean(axis=0) - mean)))
        return bool(together) and apart > _WITHIN_SIGMA * math.hypot(self.spec.noise_std_m / math.sqrt(count), std_m)


def posterior(seen: Array, spec: CalibrationSpec) -> tuple[Array, float, float]:
    """Estimate the constant error from observations, some of which are wrong.

    Args:
        seen: Observations, shape (n, 2), [m], n >= 1.
        spec: Scales of the model.

    Returns:
        Mean, shape (2,), [m]; standard deviation per axis, [m]; and how many observations are believed.
    """
    prior, noise = spec.prior_std_m**2, spec.noise_std_m**2
    uniform = spec.wrong_share / (2 * spec.wrong_reach_m) ** 2
    # From the median: it is where most are, whatever the wrong ones are. One or two have no majority; what is unlikely
    # before anything was seen is then not believed.
    mean, variance, weights = np.zeros(2), prior, np.ones(len(seen))
    if len(seen) >= _MAJORITY:
        mean, variance = np.median(seen, axis=0), noise
    for _ in range(_ROUNDS):
        spread = noise + variance
        square = ((seen - mean) ** 2).sum(axis=1)
        right = (1 - spec.wrong_share) * np.exp(-square / (2 * spread)) / (2 * math.pi * spread)
        weights = right / (right + uniform) if uniform > 0 else np.ones(len(seen))
        precision = 1 / prior + weights.sum() / noise
        before, mean, variance = mean, (weights @ seen) / noise / precision, 1 / precision
        if np.abs(mean - before).max() < 1e-9:
            break
    return np.asarray(mean), math.sqrt(variance), float(weights.sum())
