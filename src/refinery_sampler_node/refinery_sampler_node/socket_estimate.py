"""The socket estimate that the sampler stands on: a mean of those that agree, because single ones jitter and err.

A pose estimator errs in three ways that a plain mean or the newest estimate would pass on: single estimates that are
far off in position or rotation, orientations that differ by a turn that the part does not show, and a slow drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses, rotvec_between_rad
from refinery.symmetry import nearest_angle_rad, nearest_equivalent
from refinery_sampler_node.requests import RequestError

Array = NDArray[np.float64]

CONFIRMED = 3
"""So many estimates in a row that agree with each other are believed, whatever came before: the socket was moved."""
_DRIFT_SHARE = 0.3
"""A trend over the window by more than this share of the jump limits is a drift."""
_DRIFT_COUNT = 8
"""In fewer estimates jitter may look like one."""
_DRIFT_SIGNIFICANCE = 16.0
"""Nor is a trend one whose square is less than this many times what the scatter around it explains, per axis."""


@dataclass(frozen=True, kw_only=True)
class SocketEstimate:
    """A mean of estimates."""

    pose: Poses
    """Socket in the base frame, batch of one."""
    count: int
    """Estimates in the mean."""
    span: int
    """Estimates from the oldest in the mean to the newest of all: those that would be in it if they all agreed."""

    @property
    def words(self) -> str:
        """What it is, in words."""
        return f"mean of {self.count} of the last {self.span} socket estimates"


def consensus(estimates: Sequence[Poses], *, jump_m: float, jump_rad: float, symmetry: int) -> SocketEstimate:
    """Average the estimates that agree; single ones that do not, the newest included, are left out.

    Estimates agree with one another if they are within the jump limits, which must be chosen larger than the jitter's
    full range. The mean is of the largest group around one of them, which must be the majority, or of the group around
    the newest once :data:`CONFIRMED` in a row agree. So a socket that was moved is followed within a few estimates, and
    a mean never lies between two places.

    A drift is refused rather than followed: where the arm is sent to is right only if the socket is still there when it
    arrives.

    Args:
        estimates: In order of arrival, at least one, each a batch of one in the base frame.
        jump_m: Farther from each other than this is another place, [m].
        jump_rad: Turned by more than this, and not by a turn that the part does not show, is another place, [rad].
        symmetry: Of the part (:attr:`refinery.part.PartGeometry.symmetry`).

    Returns:
        The mean, turned as most of its estimates are.

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
            "take something else for it?",
        )
    # Turned as most of them are: the answer is not to jump from one way round to another.
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
    """Return how far values (N, 3) go along a straight line over their steps, 0 if jitter explains it."""
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
