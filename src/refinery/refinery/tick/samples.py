"""What one tick knows about the world: the latest message of each topic, as numbers with a stamp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import OnePose, unit

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PoseSample:
    """A stamped pose in the base frame, as received: it may hold anything until the guard has looked at it.

    Its arrays are not to be changed once :meth:`poses` was asked for.
    """

    pos_m: Array
    """Position, shape (3,), [m]."""
    quat_xyzw: Array
    """Orientation, shape (4,)."""
    stamp_s: float
    """Time of measurement in the node's clock, [s]."""

    def is_pose(self, tolerance: float) -> bool:
        """Tell whether it is a pose at all: shapes, finite numbers, and a quaternion of norm 1 within a tolerance."""
        pos, quat = self.pos_m, self.quat_xyzw
        if pos.shape != (3,) or quat.shape != (4,) or not math.isfinite(sum(pos.tolist())):
            return False
        return abs(math.hypot(*quat.tolist()) - 1.0) <= tolerance

    def poses(self) -> OnePose:
        """Return the pose as a batch of one; only for samples the guard has accepted."""
        # Guard, encoder and decoder all ask, and what they compute from it once (its matrix) they then share.
        known: OnePose | None = self.__dict__.get("_poses")
        if known is None:
            x, y, z = self.pos_m.tolist()
            known = self.__dict__["_poses"] = OnePose((x, y, z), unit(*self.quat_xyzw.tolist()))
        return known


@dataclass(frozen=True, kw_only=True)
class WrenchSample:
    """A stamped external wrench in the base frame."""

    wrench: Array
    """Force x, y, z [N] and torque x, y, z [Nm], shape (6,)."""
    stamp_s: float
    """Time of measurement in the node's clock, [s]."""


class RobotMode(IntEnum):
    """What the robot says it is doing; the numbers are those of franka_msgs/FrankaRobotState."""

    OTHER = 0
    IDLE = 1
    MOVE = 2
    GUIDING = 3
    REFLEX = 4
    USER_STOPPED = 5
    AUTOMATIC_ERROR_RECOVERY = 6


@dataclass(frozen=True, kw_only=True)
class RobotSample:
    """The robot's own stamped opinion of itself."""

    mode: int
    """A value of :class:`RobotMode`, as received: it may be any number."""
    errors: tuple[str, ...]
    """Names of the errors that are set."""
    stamp_s: float
    """Time of measurement in the node's clock, [s]."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything a tick reads."""

    measured: PoseSample
    """Tool pose from the robot."""
    estimate: PoseSample
    """Socket pose from perception."""
    wrench: WrenchSample
    """External wrench from the robot."""
    robot: RobotSample | None = None
    """The robot's own state; None where the robot publishes none."""
    now_s: float
    """The node's clock at the tick, [s]."""
    wrong_frame: str = ""
    """Which message is not in the base frame, in one sentence; empty if all are."""
