"""What one tick knows about the world: the latest message of each topic, as numbers with a stamp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PoseSample:
    """A stamped pose in the base frame, as received: it may hold anything until the guard has looked at it."""

    pos_m: Array
    """Position, shape (3,), [m]."""
    quat_xyzw: Array
    """Orientation, shape (4,)."""
    stamp_s: float
    """Time of measurement in the node's clock, [s]."""

    def poses(self) -> Poses:
        """Return the pose as a batch of one; only for samples the guard has accepted."""
        return Poses.single(self.pos_m, self.quat_xyzw)


@dataclass(frozen=True, kw_only=True)
class WrenchSample:
    """A stamped external wrench in the base frame."""

    wrench: Array
    """Force x, y, z [N] and torque x, y, z [Nm], shape (6,)."""
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
    now_s: float
    """The node's clock at the tick, [s]."""
