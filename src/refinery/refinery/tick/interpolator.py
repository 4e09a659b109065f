"""Targets between policy ticks, for ``command_rate_hz``: a straight line and a constant turn over one policy period."""

from __future__ import annotations

from refinery.tick.pose import Pose, conjugate, multiply, quat_of, rotvec_of


class TargetInterpolator:
    """Moves from the last commanded pose to the newest target within one policy period.

    Args:
        period_s: Policy period, [s].
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._from: Pose | None = None
        self._to: Pose | None = None
        self._since_s = 0.0

    def jump(self, pose: Pose) -> None:
        """Command a pose at once: the start of an episode, a hold or a stop."""
        self._from = self._to = pose

    def aim(self, target: Pose, now_s: float) -> None:
        """Move to a new target, starting from what is commanded now."""
        self._from = target if self._to is None else self.at(now_s)
        self._to, self._since_s = target, now_s

    def at(self, now_s: float) -> Pose:
        """Return the pose to command at a time.

        Raises:
            RuntimeError: No pose was ever given.
        """
        start, end = self._from, self._to
        if start is None or end is None:
            raise RuntimeError("at() before jump() or aim()")
        share = min(max((now_s - self._since_s) / self._period_s, 0.0), 1.0)
        if start is end or share == 1.0:
            return end
        x, y, z = rotvec_of(multiply(end.xyzw, conjugate(start.xyzw)))
        ax, ay, az = start.xyz_m
        bx, by, bz = end.xyz_m
        return Pose(
            (ax + share * (bx - ax), ay + share * (by - ay), az + share * (bz - az)),
            multiply(quat_of((share * x, share * y, share * z)), start.xyzw),
        )
