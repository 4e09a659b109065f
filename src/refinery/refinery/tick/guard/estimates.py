"""Which socket estimates a policy acts on: no single one decides, and those that contradict each other stop it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from refinery.rotations import Quat
from refinery.symmetry import nearest_equivalent
from refinery.tick.guard.settings import GuardSettings
from refinery.tick.pose import Pose, conjugate, distance, multiply, unit
from refinery.tick.samples import PoseSample

_BASELINE = 8
"""Estimates that are averaged before drift is looked for."""
_RECENT = 1.0 / 8.0
"""Weight of the newest estimate in the mean that is compared with them."""


class EstimateScreen:
    """Compares each socket estimate with those before it, in position and in orientation.

    - An estimate that is another way round of the same part is turned to the way round in use.
    - A single outlier is left out: the estimate before it counts once more, so that it ages.
    - Several outliers in a row, and estimates that creep away, are a problem: the socket was moved, or whatever
      estimates it is wrong.

    Args:
        settings: Limits.
        symmetry: Of the part (:attr:`refinery.part.PartGeometry.symmetry`).
    """

    def __init__(self, settings: GuardSettings, symmetry: int) -> None:
        self._settings, self._symmetry = settings, symmetry
        self.reset(None)

    def reset(self, reference: PoseSample | None) -> None:
        """Forget the past.

        Args:
            reference: What the first estimate is compared with; it is taken as it is if None.
        """
        self._used = reference
        self._seen_s = math.nan
        self._in_a_row = self._accepted = 0
        self._baseline: Pose | None = None
        self._recent: Pose | None = None
        self.left_out = 0
        """Estimates left out since then."""
        self.problem = ""
        """Why the estimates are not to be trusted; empty if nothing is wrong."""

    def screen(self, sample: PoseSample, mean: Pose | None) -> PoseSample:
        """Take in the newest estimate.

        Args:
            sample: As received; what is no pose at all is returned unchanged, for the guard to name it.
            mean: Running mean of the estimates so far, base frame; the reference if None.

        Returns:
            The estimate to act on.
        """
        used, settings = self._used, self._settings
        if not sample.is_pose(settings.quaternion_tolerance):
            return sample
        if used is None:
            self._used = sample
            return sample
        if sample.stamp_s == self._seen_s:
            return used
        self._seen_s = sample.stamp_s
        reference = used.pose() if mean is None else mean
        sample = nearest(sample, reference, self._symmetry, settings.estimate_jump_rad)
        off_m, off_rad = apart(sample.pose(), reference)
        if off_m > settings.estimate_jump_m or off_rad > settings.estimate_jump_rad:
            self.left_out += 1
            self._in_a_row += 1
            if self._in_a_row >= settings.estimate_outlier_ticks:
                self.problem = (
                    f"socket estimate: {self._in_a_row} in a row {_shown(off_m, off_rad)} from the mean before, the "
                    f"limits are {_shown(settings.estimate_jump_m, settings.estimate_jump_rad)}"
                )
            return used
        self._in_a_row = 0
        self._used = sample
        self._watch_drift(sample.pose())
        return sample

    def _watch_drift(self, pose: Pose) -> None:
        """Compare a mean of the newest estimates with that of the first."""
        self._accepted += 1
        if self._accepted <= _BASELINE:
            self._baseline = self._recent = _moved(self._baseline, pose, 1.0 / self._accepted)
            return
        assert self._baseline is not None
        self._recent = _moved(self._recent, pose, _RECENT)
        off_m, off_rad = apart(self._recent, self._baseline)
        settings = self._settings
        if off_m > settings.estimate_drift_m or off_rad > settings.estimate_drift_rad:
            self.problem = (
                f"socket estimate: it has drifted by {_shown(off_m, off_rad)}, the limits are "
                f"{_shown(settings.estimate_drift_m, settings.estimate_drift_rad)}"
            )


def consensus(samples: Sequence[PoseSample], settings: GuardSettings, symmetry: int) -> PoseSample | None:
    """Return the estimate that most of several agree with.

    Args:
        samples: Of a socket at rest, in order of their stamps, as received.
        settings: What is agreement: the limits of single outliers.
        symmetry: Of the part.

    Returns:
        The newest of the largest group whose members agree with it; None if that is not more than half of them.
    """
    valid = [sample for sample in samples if sample.is_pose(settings.quaternion_tolerance)]
    best: PoseSample | None = None
    most = 0
    for candidate in valid:
        reference = candidate.pose()
        votes = 0
        for other in valid:
            off_m, off_rad = apart(nearest(other, reference, symmetry, 0.0).pose(), reference)
            votes += off_m <= settings.estimate_jump_m and off_rad <= settings.estimate_jump_rad
        if votes >= most:
            best, most = candidate, votes
    return best if 2 * most > len(samples) else None


def nearest(sample: PoseSample, reference: Pose, symmetry: int, tolerance_rad: float) -> PoseSample:
    """Return the way round of a part, among those that look the same, that is nearest to a reference.

    Args:
        sample: A pose.
        reference: Another, base frame.
        symmetry: Of the part.
        tolerance_rad: Nearer than this it is left as it is, [rad].
    """
    if symmetry == 1 or apart(sample.pose(), reference)[1] <= tolerance_rad:
        return sample
    equivalent = nearest_equivalent(sample.pose().batch(), reference.batch(), symmetry)
    return PoseSample(pos_m=sample.pos_m, quat_xyzw=tuple(equivalent.quat_xyzw[0].tolist()), stamp_s=sample.stamp_s)


def apart(a: Pose, b: Pose) -> tuple[float, float]:
    """Return distance [m] and angle [rad] between two poses."""
    x, y, z, w = multiply(conjugate(a.xyzw), b.xyzw)
    return distance(a.xyz_m, b.xyz_m), 2.0 * math.atan2(math.sqrt(x * x + y * y + z * z), abs(w))


def _moved(mean: Pose | None, pose: Pose, weight: float) -> Pose:
    """Move a mean towards a pose; orientations that are near each other are averaged by their quaternions."""
    if mean is None:
        return pose
    ax, ay, az = mean.xyz_m
    bx, by, bz = pose.xyz_m
    px, py, pz, pw = mean.xyzw
    qx, qy, qz, qw = pose.xyzw
    if px * qx + py * qy + pz * qz + pw * qw < 0.0:
        qx, qy, qz, qw = -qx, -qy, -qz, -qw
    quat: Quat = (px + weight * (qx - px), py + weight * (qy - py), pz + weight * (qz - pz), pw + weight * (qw - pw))
    return Pose((ax + weight * (bx - ax), ay + weight * (by - ay), az + weight * (bz - az)), unit(quat))


def _shown(off_m: float, off_rad: float) -> str:
    return f"{1e3 * off_m:.1f} mm and {math.degrees(off_rad):.1f} deg"
