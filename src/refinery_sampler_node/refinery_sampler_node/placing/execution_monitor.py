"""Monitors the execution of a planned motion by the measured joints; decisions only, free of ROS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from refinery.rotations import Array
from refinery_sampler_node.moveit.trajectory import Motion

_LAGS = np.linspace(0.0, 1.0, 21)
_CAUSES = "is the trajectory controller active and the arm free to move?"


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """When a motion counts as done or as failed."""

    goal_rad: float = 0.005
    """Largest distance of a joint from its goal on arrival, [rad]."""
    rest_rad_s: float = 0.02
    """Joints slower than this are at rest, [rad/s]."""
    settle_s: float = 0.2
    """The arm has arrived when it has been at its goal and at rest for this long, [s]."""
    path_rad: float = 0.15
    """Largest distance of a joint from the planned path, [rad]."""
    lag_s: float = 1.0
    """Largest delay of the arm behind the plan, [s]: MoveIt and the controller start late, messages take time."""
    grace_s: float = 3.0
    """Time to settle after the planned end, [s]."""


class DeviationKind(Enum):
    """How an arm fails to execute a motion."""

    NOT_BEGUN = auto()
    """It has not moved from the start of the motion, longer than the delay allowed."""
    OFF_PATH = auto()
    """A joint has left the planned path."""
    NOT_AT_GOAL = auto()
    """A joint is not at its goal."""
    NOT_AT_REST = auto()
    """The time to settle is over and the arm still moves."""


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A deviation of the arm from its motion."""

    kind: DeviationKind
    """Kind of the deviation."""
    message: str
    """Description: joint, amount, limit."""


class ExecutionMonitor:
    """Compares measured joints with a motion.

    Args:
        motion: The motion that was sent.
        start_s: Time at which it was sent, on the clock of the times given to the methods, [s].
        tolerances: When it is done or failed.
    """

    def __init__(self, motion: Motion, start_s: float, tolerances: Tolerances) -> None:
        self._motion = motion
        self._start_s = start_s
        self._tolerances = tolerances
        self._settled_since: float | None = None
        self._begun = False

    def share(self, now_s: float) -> float:
        """Return the share of the planned time that has passed, [0, 1]."""
        return float(np.clip((now_s - self._start_s) / self._motion.duration_s, 0.0, 1.0))

    def path_deviation(self, now_s: float, joints_rad: Array) -> Deviation | None:
        """Compare the arm with the part of the path where it may be by now.

        Args:
            now_s: Time of the measurement, [s].
            joints_rad: Measured joints, shape (7,), [rad].

        Returns:
            NOT_BEGUN or OFF_PATH, or None for an arm that follows.
        """
        limit, elapsed = self._tolerances, now_s - self._start_s
        self._note_begin(joints_rad)
        # The nearest point of the path that the arm may be at by now.
        recent = np.clip(elapsed - limit.lag_s * _LAGS, 0.0, self._motion.duration_s)
        distances = np.abs(joints_rad - self._motion.spline(recent))
        off = distances[np.argmin(distances.max(axis=1))]
        worst = int(np.argmax(off))
        if off[worst] <= limit.path_rad:
            return None
        if not self._begun:
            return self._not_begun(elapsed)
        return Deviation(
            kind=DeviationKind.OFF_PATH,
            message=f"joint {worst + 1} is {off[worst]:.2f} rad off the planned path (limit {limit.path_rad} rad); "
            f"{_CAUSES}",
        )

    def settled(self, now_s: float, joints_rad: Array, velocities_rad_s: Array) -> bool:
        """Return whether the arm has been at its goal and at rest for long enough.

        Args:
            now_s: Time of the measurement, [s].
            joints_rad: Measured joints, shape (7,), [rad].
            velocities_rad_s: Measured joint velocities, shape (7,), [rad/s].
        """
        limit = self._tolerances
        if self.goal_deviation(joints_rad) is not None or np.abs(velocities_rad_s).max() >= limit.rest_rad_s:
            self._settled_since = None
            return False
        self._settled_since = now_s if self._settled_since is None else self._settled_since
        return now_s - self._settled_since >= limit.settle_s

    def goal_deviation(self, joints_rad: Array) -> Deviation | None:
        """Compare measured joints, shape (7,) [rad], with the goal; returns NOT_AT_GOAL, or None for an arm there."""
        off = np.abs(joints_rad - self._motion.goal_rad)
        worst, limit = int(np.argmax(off)), self._tolerances.goal_rad
        if off[worst] <= limit:
            return None
        return Deviation(
            kind=DeviationKind.NOT_AT_GOAL,
            message=f"joint {worst + 1} is {off[worst]:.3f} rad from its goal (limit {limit} rad)",
        )

    def overdue(self, now_s: float, joints_rad: Array, velocities_rad_s: Array) -> Deviation | None:
        """Return what is still missing after the time to settle; None before its end, and for an arm that has arrived.

        Args:
            now_s: Time of the measurement, [s].
            joints_rad: Measured joints, shape (7,), [rad].
            velocities_rad_s: Measured joint velocities, shape (7,), [rad/s].
        """
        limit = self._tolerances
        if now_s - self._start_s <= self._motion.duration_s + limit.lag_s + limit.grace_s:
            return None
        self._note_begin(joints_rad)
        missing = self.goal_deviation(joints_rad)
        if missing is not None and not self._begun:
            return self._not_begun(now_s - self._start_s)
        if np.abs(velocities_rad_s).max() >= limit.rest_rad_s:
            message = f"the arm has not come to rest (limit {limit.rest_rad_s} rad/s)"
            missing = Deviation(kind=DeviationKind.NOT_AT_REST, message=message)
        if missing is None:
            return None
        message = f"{limit.grace_s} s after the planned end {missing.message}; {_CAUSES}"
        return Deviation(kind=missing.kind, message=message)

    def _note_begin(self, joints_rad: Array) -> None:
        moved = np.abs(joints_rad - self._motion.positions_rad[0])
        self._begun = self._begun or bool(moved.max() > self._tolerances.goal_rad)

    def _not_begun(self, elapsed_s: float) -> Deviation:
        return Deviation(
            kind=DeviationKind.NOT_BEGUN,
            message=f"the arm has not begun to move {elapsed_s:.2f} s after the motion was sent (max_lag_s = "
            f"{self._tolerances.lag_s} s): MoveIt started late, or the trajectory controller is not active",
        )
