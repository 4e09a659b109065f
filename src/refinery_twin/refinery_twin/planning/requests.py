"""Requests and results of the planner: goals, timed trajectories, straight lines and validity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from refinery.config import check
from refinery.rotations import Array, Poses


@dataclass(frozen=True, kw_only=True)
class JointGoal:
    """A goal in joint space."""

    joints_rad: Array
    """Joints in the profile's order, shape (7,), [rad]."""


@dataclass(frozen=True, kw_only=True)
class PoseGoal:
    """A goal pose of a link, with any joints.

    The planner aims at the middle of a goal's tolerances and meets it to 1e-5 m and 1e-5 rad; a goal with tolerances
    below that is an INVALID_GOAL_CONSTRAINTS for the caller to refuse.
    """

    pose: Poses
    """Pose of the link in the base frame, batch of one."""
    link: str = ""
    """Tool frame, hand, flange or last link of the arm; empty for the tool frame."""

    def __post_init__(self) -> None:
        """Validate the batch."""
        check(len(self.pose) == 1, "pose", "one pose", self.pose)


@dataclass(frozen=True, kw_only=True)
class TimedPath:
    """A trajectory from rest to rest, as points for a joint trajectory controller.

    The points are samples of one curve with continuous acceleration, a cubic between any two of them. Interpolating
    positions and velocities (cubic), or accelerations too (quintic), gives exactly this curve again; straight lines
    between the positions keep the velocity limits too.
    """

    joint_names: tuple[str, ...]
    """In the profile's order."""
    times_s: Array
    """Time from start, shape (N,), N >= 2, strictly increasing from 0, [s]."""
    positions_rad: Array
    """Shape (N, 7), [rad]."""
    velocities_rad_s: Array
    """Shape (N, 7), zero in the first and last row, [rad/s]."""
    accelerations_rad_s2: Array
    """Shape (N, 7), [rad/s^2]."""

    @property
    def duration_s(self) -> float:
        """Time from start to end, [s]."""
        return float(self.times_s[-1])

    @cached_property
    def curve(self) -> CubicHermiteSpline:
        """Joints [rad] as a function of time [s]."""
        return CubicHermiteSpline(self.times_s, self.positions_rad, self.velocities_rad_s, axis=0)

    def at(self, times_s: float | Array) -> Array:
        """Return the joints at times (clipped to the trajectory), shape (..., 7), [rad]."""
        return np.asarray(self.curve(np.clip(times_s, 0.0, self.duration_s)))


@dataclass(frozen=True, kw_only=True)
class StraightPath:
    """The part of a straight line of the tool that can be followed."""

    fraction: float
    """Share of the requested length that the trajectory covers, [0, 1]."""
    path: TimedPath
    """The trajectory of that part; two points at the start if it is empty."""
    reason: str
    """Why it ends there; empty if the fraction is 1."""


@dataclass(frozen=True, kw_only=True)
class Validity:
    """Whether a state of the arm is valid."""

    valid: bool
    """Inside its limits and free of collisions."""
    contacts: tuple[tuple[str, str], ...]
    """Pairs of links and objects that touch, each sorted by name."""
    reason: str
    """A sentence; empty if valid."""
