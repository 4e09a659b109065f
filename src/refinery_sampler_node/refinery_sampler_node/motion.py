"""Watching the arm follow a planned way, and stopping it smoothly: decisions only, no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from refinery_sampler_node.joint_path import JointPath

Array = NDArray[np.float64]


_LAGS = np.linspace(0.0, 1.0, 21)


class Progress(Enum):
    """What the arm is doing with respect to the way."""

    MOVING = "moving"
    ARRIVED = "arrived"
    OFF_THE_WAY = "off the way"
    LATE = "late"


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
    lag_s: float = 0.5
    """The arm may be this far behind the plan: the controller starts late and messages take time, [s]."""
    grace_s: float = 3.0
    """Time to settle after the planned end, [s]."""


class MotionMonitor:
    """Compares measured joints with a way.

    Args:
        path: The way that was sent.
        start_s: When it was sent, on the clock that :meth:`update` is given, [s].
        tolerances: When it is done or failed.
    """

    def __init__(self, path: JointPath, start_s: float, tolerances: Tolerances) -> None:
        self._path = path
        self._start_s = start_s
        self._tolerances = tolerances
        self._settled_since: float | None = None
        self.share = 0.0
        """Share of the planned time that has passed, [0, 1]."""
        self.reason = ""
        """A sentence once the motion has failed."""

    def update(self, now_s: float, joints_rad: Array, velocities_rad_s: Array) -> Progress:
        """Judge one measurement.

        Args:
            now_s: Time of the measurement, [s].
            joints_rad: Measured joints, shape (7,), [rad].
            velocities_rad_s: Measured joint velocities, shape (7,), [rad/s].

        Returns:
            The arm's progress; after anything but MOVING the monitor is done.
        """
        limit, elapsed = self._tolerances, now_s - self._start_s
        self.share = float(np.clip(elapsed / self._path.duration_s, 0.0, 1.0))
        # Nearest point of the way that the arm may be at by now.
        recent = np.clip(elapsed - limit.lag_s * _LAGS, 0.0, self._path.duration_s)
        distances = np.abs(joints_rad - self._path.spline(recent))
        off = distances[np.argmin(distances.max(axis=1))]
        worst = int(np.argmax(off))
        if off[worst] > limit.way_rad:
            self.reason = (
                f"joint {worst + 1} is {off[worst]:.2f} rad off the planned way (limit {limit.way_rad} rad); "
                "is the trajectory controller active and nothing in the way?"
            )
            return Progress.OFF_THE_WAY
        if elapsed < self._path.duration_s:
            return Progress.MOVING
        resting = bool(np.abs(velocities_rad_s).max() < limit.rest_rad_s)
        off = np.abs(joints_rad - self._path.positions_rad[-1])
        worst = int(np.argmax(off))
        if off[worst] <= limit.goal_rad and resting:
            self._settled_since = elapsed if self._settled_since is None else self._settled_since
            if elapsed - self._settled_since >= limit.settle_s:
                return Progress.ARRIVED
        else:
            self._settled_since = None
        if elapsed > self._path.duration_s + limit.grace_s:
            what = (
                f"joint {worst + 1} is {off[worst]:.3f} rad from its goal"
                if resting
                else "the arm has not come to rest"
            )
            self.reason = (
                f"{limit.grace_s} s after the planned end {what} (limit {limit.goal_rad} rad); "
                "is the trajectory controller active and nothing in the way?"
            )
            return Progress.LATE
        return Progress.MOVING


def stopping_point(joints_rad: Array, velocities_rad_s: Array, deceleration_rad_s2: Array) -> tuple[Array, float]:
    """Where and when the arm can stand still soonest: a point at the present joints, plus the braking distance.

    A point exactly at the present joints would make a moving arm overshoot and come back. The cubic from the present
    state to the returned point at rest brakes evenly, within the deceleration, and never farther than a way planned
    with it would go on.

    Args:
        joints_rad: Measured joints, shape (7,), [rad].
        velocities_rad_s: Measured joint velocities, shape (7,), [rad/s].
        deceleration_rad_s2: Largest deceleration per joint, shape (7,), [rad/s^2].

    Returns:
        Joints at rest [rad] and the time to get there [s].
    """
    duration = max(0.1, float((np.abs(velocities_rad_s) / deceleration_rad_s2).max()))
    return joints_rad + velocities_rad_s * duration / 2, duration
