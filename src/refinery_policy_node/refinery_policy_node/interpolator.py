"""Targets between policy ticks, for ``command_rate_hz``: a straight line and a constant turn over one policy period."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from refinery.rotations import Poses, rotvec_between_rad


class TargetInterpolator:
    """Moves from the last commanded pose to the newest target within one policy period.

    Args:
        period_s: Policy period, [s].
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._from: Poses | None = None
        self._to: Poses | None = None
        self._since_s = 0.0

    def jump(self, pose: Poses) -> None:
        """Command a pose at once: the start of an episode, a hold or a stop."""
        self._from = self._to = pose

    def aim(self, target: Poses, now_s: float) -> None:
        """Move to a new target, starting from what is commanded now."""
        self._from = target if self._to is None else self.at(now_s)
        self._to, self._since_s = target, now_s

    def at(self, now_s: float) -> Poses:
        """Return the pose to command at a time.

        Raises:
            RuntimeError: No pose was ever given.
        """
        if self._from is None or self._to is None:
            raise RuntimeError("at() before jump() or aim()")
        share = float(np.clip((now_s - self._since_s) / self._period_s, 0.0, 1.0))
        if self._from is self._to or share >= 1.0:
            return self._to
        turn = rotvec_between_rad(self._from.quat_xyzw, self._to.quat_xyzw)
        quat = (Rotation.from_rotvec(share * turn) * self._from.rotation).as_quat()
        pos = self._from.pos_m + share * (self._to.pos_m - self._from.pos_m)
        return Poses(pos_m=pos, quat_xyzw=np.atleast_2d(quat))
