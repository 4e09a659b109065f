"""Watching the arm follow a planned motion: decisions only, no ROS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery_sampler_node.moveit.trajectory import Motion

Array = NDArray[np.float64]

_LAGS = np.linspace(0.0, 1.0, 21)
_CAUSES = "is the trajectory controller active and nothing in the way?"


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """When a motion counts as done or as failed."""

    goal_rad: float = 0.005
    """Largest distance of a joint from its goal on arrival, [rad]."""
    rest_rad_s: float = 0.02
    """Joints slower than this are at rest, [rad/s]."""
    settle_s: float = 0.2
    """At the goal and at rest for this long is arrived, [s]."""
    way_rad: float = 0.15
    """A joint farther than this from the way is off it, [rad]."""
    lag_s: float = 1.0
    """The arm may be this far behind the plan: MoveIt and the controller start late, messages take time, [s]."""
    grace_s: float = 3.0
    """Time to settle after the planned end, [s]."""


class MotionWatch:
    """Compares measured joints with a motion.

    Args:
        motion: What was sent.
        start_s: When it was sent, on the clock that the methods are given, [s].
        tolerances: When it is done or failed.
    """

    def __init__(self, motion: Motion, start_s: float, tolerances: Tolerances) -> None:
        self._motion = motion
        self._start_s = start_s
        self._tolerances = tolerances
        self._settled_since: float | None = None

    def share(self, now_s: float) -> float:
        """Share of the planned time that has passed, [0, 1]."""
        return float(np.clip((now_s - self._start_s) / self._motion.duration_s, 0.0, 1.0))

    def off_the_way(self, now_s: float, joints_rad: Array) -> str:
        """Say which joint has left the way.

        Args:
            now_s: Time of the measurement, [s].
            joints_rad: Measured joints, shape (7,), [rad].

        Returns:
            A sentence; empty if none has.
        """
        limit, elapsed = self._tolerances, now_s - self._start_s
        # Nearest point of the way that the arm may be at by now.
        recent = np.clip(elapsed - limit.lag_s * _LAGS, 0.0, self._motion.duration_s)
        distances = np.abs(joints_rad - self._motion.spline(recent))
        off = distances[np.argmin(distances.max(axis=1))]
        worst = int(np.argmax(off))
        if off[worst] <= limit.way_rad:
            return ""
        return f"joint {worst + 1} is {off[worst]:.2f} rad off the planned way (limit {limit.way_rad} rad); {_CAUSES}"

    def settled(self, now_s: float, joints_rad: Array, velocities_rad_s: Array) -> bool:
        """Tell whether the arm has been at its goal and at rest for long enough.

        Args:
            now_s: Time of the measurement, [s].
            joints_rad: Measured joints, shape (7,), [rad].
            velocities_rad_s: Measured joint velocities, shape (7,), [rad/s].
        """
        limit = self._tolerances
        there = np.abs(joints_rad - self._motion.goal_rad).max() <= limit.goal_rad
        if not there or np.abs(velocities_rad_s).max() >= limit.rest_rad_s:
            self._settled_since = None
            return False
        self._settled_since = now_s if self._settled_since is None else self._settled_since
        return now_s - self._settled_since >= limit.settle_s

    def away(self, joints_rad: Array) -> str:
        """Say which joint (measured, shape (7,), [rad]) is not at the goal; empty if all are."""
        off = np.abs(joints_rad - self._motion.goal_rad)
        worst, limit = int(np.argmax(off)), self._tolerances.goal_rad
        return (
            ""
            if off[worst] <= limit
            else f"joint {worst + 1} is {off[worst]:.3f} rad from its goal (limit {limit} rad)"
        )

    def late(self, now_s: float, joints_rad: Array, velocities_rad_s: Array) -> str:
        """Say what is still missing when the time to settle is over; empty before, and for an arm that has arrived."""
        limit = self._tolerances
        if now_s - self._start_s <= self._motion.duration_s + limit.lag_s + limit.grace_s:
            return ""
        moving = bool(np.abs(velocities_rad_s).max() >= limit.rest_rad_s)
        what = f"the arm has not come to rest (limit {limit.rest_rad_s} rad/s)" if moving else self.away(joints_rad)
        return f"{limit.grace_s} s after the planned end {what}; {_CAUSES}" if what else ""
