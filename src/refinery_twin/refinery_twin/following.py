"""Checks whether the arm follows a trajectory within the tolerances of a joint trajectory controller; free of ROS.

As in ros2_controllers' joint trajectory controller a tolerance of 0 is not checked, path tolerances count until the
trajectory's end, and after it the arm has to be inside the goal tolerances, for which it may take
``goal_time_s`` (0: as long as it likes).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np

from refinery.config import check
from refinery.rotations import Array
from refinery_sim.trajectory import JointTrajectory

GOAL_POSITION_RAD = 1e-3
"""Goal tolerance of every joint unless the client gives another, [rad] (``constraints.<joint>.goal``)."""
STOPPED_RAD_S = 0.01
"""Goal tolerance of every joint's speed unless the client gives another, [rad/s] (its own default,
``constraints.stopped_velocity_tolerance``)."""


class FollowEnd(enum.Enum):
    """How a trajectory can end by itself."""

    REACHED = "reached"
    """At the goal, inside the tolerances."""
    LEFT_PATH = "left the path"
    """Outside a path tolerance."""
    MISSED_GOAL = "missed the goal"
    """Outside a goal tolerance when its time was over."""


def _unchecked() -> Array:
    return np.zeros(7)


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Largest distance of a state from the desired one, joints 1..7; 0 is not checked."""

    position_rad: Array = field(default_factory=_unchecked)
    """Shape (7,), >= 0, [rad]."""
    velocity_rad_s: Array = field(default_factory=_unchecked)
    """Shape (7,), >= 0, [rad/s]."""

    def __post_init__(self) -> None:
        """Validate shapes and ranges."""
        for name, value in vars(self).items():
            check(value.shape == (7,) and bool(np.all(value >= 0)), name, "seven numbers >= 0", value)

    def violation(self, error_rad: Array, error_rad_s: Array) -> str | None:
        """Return which joint violates it, or None; errors are desired minus actual, each (7,)."""
        for errors, limits, unit in (
            (error_rad, self.position_rad, "rad"),
            (error_rad_s, self.velocity_rad_s, "rad/s"),
        ):
            over = np.where(limits > 0, np.abs(errors) - limits, 0.0)
            joint = int(np.argmax(over))
            if over[joint] > 0:
                return f"joint {joint + 1} is {abs(errors[joint]):.4g} {unit} off, tolerance {limits[joint]:.4g} {unit}"
        return None


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Tolerances of a trajectory."""

    path: Tolerance = field(default_factory=Tolerance)
    """Until its end; nothing by default, as in the real controller."""
    goal: Tolerance = field(
        default_factory=lambda: Tolerance(
            position_rad=np.full(7, GOAL_POSITION_RAD), velocity_rad_s=np.full(7, STOPPED_RAD_S)
        )
    )
    """After its end."""
    goal_time_s: float = 0.0
    """How long after its end the goal may be missed, >= 0, [s]; 0 is for ever, as in the real controller."""

    def __post_init__(self) -> None:
        """Validate the range."""
        check(self.goal_time_s >= 0, "goal_time_s", "a time >= 0 s", self.goal_time_s)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress along a trajectory."""

    elapsed_s: float
    """Since its start, [s]."""
    desired_rad: Array
    """Desired joints, shape (7,), [rad]."""
    desired_rad_s: Array
    """Desired velocities, shape (7,), [rad/s]."""
    end: FollowEnd | None
    """How it has ended; None while it goes on."""
    reason: str
    """A sentence about the end; empty while it goes on."""


class Following:
    """A trajectory that is being followed.

    Args:
        trajectory: The trajectory.
        start_s: Simulated time of its start, [s].
        tolerances: Its tolerances.
    """

    def __init__(self, trajectory: JointTrajectory, start_s: float, tolerances: Tolerances) -> None:
        self._trajectory, self._start_s, self._tolerances = trajectory, start_s, tolerances

    def progress(self, now_s: float, joints_rad: Array, joints_rad_s: Array) -> Progress:
        """Evaluate the arm's state (positions and velocities, each (7,)) at a simulated time."""
        elapsed_s = now_s - self._start_s
        desired, speed = self._trajectory.sample(elapsed_s)
        errors = desired - joints_rad, speed - joints_rad_s
        end, reason = self._verdict(elapsed_s - self._trajectory.duration_s, *errors)
        return Progress(elapsed_s=elapsed_s, desired_rad=desired, desired_rad_s=speed, end=end, reason=reason)

    def _verdict(self, late_s: float, error_rad: Array, error_rad_s: Array) -> tuple[FollowEnd | None, str]:
        if late_s < 0:
            problem = self._tolerances.path.violation(error_rad, error_rad_s)
            return (FollowEnd.LEFT_PATH, f"{problem} on the way") if problem is not None else (None, "")
        problem = self._tolerances.goal.violation(error_rad, error_rad_s)
        if problem is None:
            return FollowEnd.REACHED, "Goal successfully reached!"
        if 0 < self._tolerances.goal_time_s < late_s:
            return FollowEnd.MISSED_GOAL, f"{problem} {late_s:.3f} s after the end of the trajectory"
        return None, ""
