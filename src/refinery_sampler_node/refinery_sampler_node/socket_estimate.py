"""The socket estimate that the sampler stands on: a running mean, because single estimates jitter by millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refinery.rotations import Poses, angle_between_rad


@dataclass(frozen=True, kw_only=True)
class SocketEstimate:
    """A mean of estimates."""

    pose: Poses
    """Socket in the base frame, batch of one."""
    count: int
    """Estimates in the mean."""


def recent_mean(estimates: Sequence[Poses], *, jump_m: float, jump_rad: float) -> SocketEstimate:
    """Average the newest unbroken run of estimates that agree with the very newest one.

    A socket that was moved shows as a jump; estimates from before the jump are left out, so the mean never lies between
    two places. The jump must be chosen larger than the jitter's full range.

    Args:
        estimates: In order of arrival, at least one, each a batch of one in the base frame.
        jump_m: Farther from the newest than this is another place, [m].
        jump_rad: Turned from the newest by more than this is another place, [rad].

    Returns:
        The mean and how many estimates are in it.
    """
    poses = Poses(
        pos_m=np.vstack([pose.pos_m for pose in reversed(estimates)]),
        quat_xyzw=np.vstack([pose.quat_xyzw for pose in reversed(estimates)]),
    )
    moved = np.linalg.norm(poses.pos_m - poses.pos_m[0], axis=1) > jump_m
    turned = angle_between_rad(poses.quat_xyzw[0], poses.quat_xyzw) > jump_rad
    away = np.flatnonzero(moved | turned)
    count = int(away[0]) if len(away) else len(poses)
    same = poses[slice(0, count)]
    mean = Poses.single(same.pos_m.mean(axis=0), same.rotation.mean().as_quat())
    return SocketEstimate(pose=mean, count=count)
