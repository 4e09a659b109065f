"""The socket estimate that the sampler uses: the mean of the estimates that agree, because single ones are noisy.

A pose estimator has three kinds of error that a plain mean or the newest estimate would pass on: outliers in position
or rotation, orientations that differ by a symmetry of the part, and a slow drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array, Poses, rotvec_between_rad
from refinery.symmetry import nearest_angle_rad, nearest_equivalent
from refinery_sampler_node.request_error import RequestError

CONFIRMED = 3
"""This many consecutive estimates that agree are accepted whatever came before: the socket was moved."""
_DRIFT_SHARE = 0.3
"""A trend over the window of more than this share of the jump limits is a drift."""
_DRIFT_COUNT = 8
"""In fewer estimates jitter may look like a drift."""
_DRIFT_SIGNIFICANCE = 16.0
"""A trend is significant if its square exceeds the variance explained by scatter this many times, per axis."""


@dataclass(frozen=True, kw_only=True)
class SocketEstimate:
    """The mean of estimates that agree."""

    pose: Poses
    """Socket in the base frame, batch of one."""
    count: int
    """Number of estimates in the mean."""
    span: int
    """Number of estimates from the oldest in the mean to the newest of all, outliers included."""

    @property
    def description(self) -> str:
        """The estimate in words."""
        return f"mean of {self.count} of the last {self.span} socket estimates"


def consensus(estimates: Sequence[Poses], *, jump_m: float, jump_rad: float, symmetry: int) -> SocketEstimate:
    """Average the estimates that agree; outliers, the newest included, are left out.

    Estimates agree with one another if they are within the jump limits, which must be chosen larger than the jitter's
    full range. The mean is of the largest group around one of them, which must be the majority, or of the group around
    the newest once the last :data:`CONFIRMED` agree. A socket that was moved is thus followed within a few estimates,
    and a mean never lies between two places.

    A drift is refused rather than followed: the target of the arm is right only if the socket is still there when the
    arm arrives.

    Args:
        estimates: In order of arrival, at least one, each a batch of one in the base frame.
        jump_m: Estimates farther apart than this disagree, [m].
        jump_rad: Estimates rotated by more than this, apart from symmetries of the part, disagree, [rad].
        symmetry: Order of the part's rotational symmetry (:attr:`refinery.part.PartGeometry.symmetry`).

    Returns:
        The mean, in the orientation of most of its estimates.

    Raises:
        RequestError: BAD_SOCKET_POSE: no group is the majority, or the group drifts.
    """
    poses = Poses(
        pos_m=np.vstack([pose.pos_m for pose in estimates]), quat_xyzw=np.vstack([pose.quat_xyzw for pose in estimates])
    )
    count = len(poses)
    close = np.linalg.norm(poses.pos_m[:, None] - poses.pos_m, axis=2) <= jump_m
    agree = close & (_angles_rad(poses, symmetry) <= jump_rad)
    confirmed = count >= CONFIRMED and bool(agree[-CONFIRMED:, -CONFIRMED:].all())
    centre = max(range(count - CONFIRMED if confirmed else 0, count), key=lambda i: (agree[i].sum(), i))
    members = np.flatnonzero(agree[centre])
    if not confirmed and 2 * len(members) <= count:
        raise RequestError(
            "BAD_SOCKET_POSE",
            f"the socket estimates disagree: expected most of the last {count} within {1000 * jump_m:g} mm and "
            f"{jump_rad:g} rad of each other, got {len(members)}; is the socket being moved, or does its estimator "
            "detect another object?",
        )
    # In the orientation of most of them, so that the result does not jump between equivalent orientations.
    same = (_angles_rad(poses[members], 1) <= jump_rad).sum(axis=1)
    group = nearest_equivalent(poses[members], poses[int(members[np.argmax(same)])], symmetry)
    mean = Poses.single(group.pos_m.mean(axis=0), group.rotation.mean().as_quat())
    turns = rotvec_between_rad(mean.quat_xyzw, group.quat_xyzw)
    for values, limit, scale, unit in ((group.pos_m, jump_m, 1000.0, "mm"), (turns, jump_rad, 1.0, "rad")):
        drift = _drift(members, values)
        if drift > _DRIFT_SHARE * limit:
            raise RequestError(
                "BAD_SOCKET_POSE",
                f"the socket estimate drifts: expected less than {_DRIFT_SHARE * limit * scale:.3g} {unit} over the "
                f"last {count - members[0]}, got {drift * scale:.3g} {unit}; wait until the socket rests and its "
                "estimator is steady",
            )
    return SocketEstimate(pose=mean, count=len(members), span=count - int(members[0]))


def _angles_rad(poses: Poses, symmetry: int) -> Array:
    """Return the angles between all pairs, shape (N, N), [rad]."""
    count = len(poses)
    one, other = np.divmod(np.arange(count * count), count)
    return nearest_angle_rad(poses[one], poses[other], symmetry).reshape(count, count)


def _drift(steps: NDArray[np.intp], values: Array) -> float:
    """Return the length of the linear trend of values (N, 3) over their steps; 0 if jitter explains it."""
    count = len(steps)
    if count < _DRIFT_COUNT:
        return 0.0
    time = steps - steps.mean()
    square = float(time @ time)
    slope = time @ (values - values.mean(axis=0)) / square
    rest = values - values.mean(axis=0) - time[:, None] * slope
    axes = values.shape[1]
    variance = float((rest * rest).sum()) / (axes * (count - 2))
    if float(slope @ slope) * square <= _DRIFT_SIGNIFICANCE * axes * variance:
        return 0.0
    return float(np.linalg.norm(slope) * (steps[-1] - steps[0]))
