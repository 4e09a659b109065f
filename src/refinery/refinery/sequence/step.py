"""One step of a sequence: which part, where it lies, how it is taken, where it goes, and what if it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from refinery.config import check
from refinery.rotations import Poses
from refinery.sequence.grasp_spec import GraspSpec

Vec3 = tuple[float, float, float]
FIXED, FRAME, PART = "fixed", "frame", "part"
_REACH_M = 2.0


@dataclass(frozen=True, kw_only=True)
class TraySpec:
    """Where the part stands before it is taken: its tip frame, upright, in the arm's base frame."""

    xyz_m: Vec3
    """Position of the part's tip, [m]."""
    yaw_rad: float = 0.0
    """Turn about the vertical, [rad], [-pi, pi]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        _check_place(self.xyz_m, self.yaw_rad)

    def pose(self) -> Poses:
        """Pose of the part's tip frame in the arm's base frame, batch of one."""
        return Poses.from_xyz_rpy(self.xyz_m, (0.0, 0.0, self.yaw_rad))


@dataclass(frozen=True, kw_only=True)
class SocketPlaceSpec:
    """Where the part's tip frame is when it is seated. Parts are inserted straight down."""

    mode: str
    """``fixed``: in the arm's base frame, taught once; ``frame``: in the frame of the assembly's base, as estimated;
    ``part``: in the tip frame of an earlier part as it sits."""
    part: str = ""
    """That part; only for ``part``."""
    xyz_m: Vec3
    """Position of the seated tip, [m]."""
    yaw_rad: float = 0.0
    """Turn about the vertical, [rad], [-pi, pi]."""
    axis: str = "+z"
    """Direction out of the socket; only +z is supported."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.mode in (FIXED, FRAME, PART), "mode", "fixed, frame or part", self.mode)
        check(
            (self.mode == PART) == bool(self.part), "part", "an earlier part where mode is part, else none", self.part
        )
        check(self.axis == "+z", "axis", "+z, the only direction that is supported", self.axis)
        _check_place(self.xyz_m, self.yaw_rad)

    def pose(self) -> Poses:
        """Pose of the seated tip frame in the frame that ``mode`` says, batch of one."""
        return Poses.from_xyz_rpy(self.xyz_m, (0.0, 0.0, self.yaw_rad))


@dataclass(frozen=True, kw_only=True)
class SeatingSpec:
    """When a part counts as seated, by the arm's kinematics and against the estimated socket."""

    depth_tolerance_m: float = 0.0015
    """The tip is this close to its seat along the axis, [m], (0, 0.02]."""
    lateral_tolerance_m: float = 0.003
    """The tip is this close to the axis, [m], (0, 0.02]. Estimates may be off by more than a clearance."""
    angle_tolerance_rad: float = 0.15
    """The part is turned and tilted by less than this, [rad], (0, 0.5]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name in ("depth_tolerance_m", "lateral_tolerance_m"):
            check(0 < getattr(self, name) <= 0.02, name, "a distance in (0, 0.02] m", getattr(self, name))
        angle = self.angle_tolerance_rad
        check(0 < angle <= 0.5, "angle_tolerance_rad", "an angle in (0, 0.5] rad", angle)


@dataclass(frozen=True, kw_only=True)
class FailureSpec:
    """What happens when a part does not get in."""

    retry: int = 1
    """Further attempts, each from a new initial state, [0, 10]."""
    then: str = "stop"
    """``stop`` the run with the part held, or ``skip`` the part: it goes back to its tray."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 <= self.retry <= 10, "retry", "0 to 10 further attempts", self.retry)
        check(self.then in ("skip", "stop"), "then", "skip or stop", self.then)


@dataclass(frozen=True, kw_only=True)
class StepSpec:
    """One step: pick, place, insert, verify, release and retreat."""

    name: str
    """Of the step; letters, digits and underscores."""
    part: str
    """Of the part; letters, digits and underscores."""
    task: str
    """Task of the insertion, a name in ``config/tasks``."""
    bundle: str = ""
    """Folder of the policy's bundle below the one given with the sequence, or an absolute path; empty: the task's
    name."""
    grasp: GraspSpec
    """How the part is taken."""
    tray: TraySpec
    """Where it stands."""
    socket: SocketPlaceSpec
    """Where it goes."""
    seats_rad: tuple[float, ...] = (0.0,)
    """Turns of the part about its own axis in which it may sit, [rad], [-pi, pi]; the nearest to how it stands is
    taken."""
    seating: SeatingSpec = SeatingSpec()
    """When it counts as seated."""
    on_failure: FailureSpec = FailureSpec()
    """What happens otherwise."""
    needs: tuple[str, ...] = ()
    """Earlier steps without which this one cannot be done."""

    def __post_init__(self) -> None:
        """Validate names and ranges."""
        for key in ("name", "part", "task"):
            check(getattr(self, key).isidentifier(), key, "letters, digits and underscores", getattr(self, key))
        turns = self.seats_rad
        inside = bool(turns) and all(abs(turn) <= math.pi for turn in turns)
        check(inside, "seats_rad", "one or more angles in [-pi, pi] rad", turns)

    @property
    def attempts(self) -> int:
        """Insertions that are tried at most."""
        return 1 + self.on_failure.retry


def _check_place(xyz_m: Vec3, yaw_rad: float) -> None:
    check(all(abs(v) <= _REACH_M for v in xyz_m), "xyz_m", f"three values in [-{_REACH_M:g}, {_REACH_M:g}] m", xyz_m)
    check(abs(yaw_rad) <= math.pi, "yaw_rad", "an angle in [-pi, pi] rad", yaw_rad)
