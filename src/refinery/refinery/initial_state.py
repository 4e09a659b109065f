"""Initial states theta: the plug's pose in the estimated socket frame when the policy takes over (paper, section 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.config import check
from refinery.rotations import Poses

THETA_NAMES = ("x", "y", "z", "roll", "pitch", "yaw")
"""Order of theta everywhere: position of the plug tip [m] and roll, pitch, yaw [rad], in the estimated socket frame."""

Vec6 = tuple[float, float, float, float, float, float]
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class InitialStateSpec:
    """Two boxes of initial states: where the base policy was trained and where it is deployed."""

    trained_low: Vec6
    """Lower corner of the training box, [m, m, m, rad, rad, rad]; z is the tip's height above the seated tip."""
    trained_high: Vec6
    """Upper corner of the training box."""
    deployed_low: Vec6
    """Lower corner of the deployment box."""
    deployed_high: Vec6
    """Upper corner of the deployment box."""

    def __post_init__(self) -> None:
        """Validate that boxes are boxes and that training lies inside deployment."""
        for low, high in (("trained_low", "trained_high"), ("deployed_low", "deployed_high")):
            ordered = all(a <= b for a, b in zip(getattr(self, low), getattr(self, high), strict=True))
            check(ordered, high, f"not below {low} {getattr(self, low)}", getattr(self, high))
        inside = np.all(np.less_equal(self.deployed_low, self.trained_low)) and np.all(
            np.greater_equal(self.deployed_high, self.trained_high)
        )
        check(bool(inside), "deployed_low", "a deployment box that contains the training box", self.deployed_low)

    @property
    def trained(self) -> Box:
        """The training box."""
        return Box(low=np.array(self.trained_low), high=np.array(self.trained_high))

    @property
    def deployed(self) -> Box:
        """The deployment box."""
        return Box(low=np.array(self.deployed_low), high=np.array(self.deployed_high))


@dataclass(frozen=True, kw_only=True)
class Box:
    """An axis-aligned box of initial states."""

    low: Array
    """Lower corner, shape (6,), order :data:`THETA_NAMES`."""
    high: Array
    """Upper corner, shape (6,)."""

    @property
    def free(self) -> NDArray[np.intp]:
        """Indices of the dimensions that vary."""
        return np.flatnonzero(self.high > self.low)

    @property
    def free_names(self) -> tuple[str, ...]:
        """Names of the dimensions that vary."""
        return tuple(THETA_NAMES[i] for i in self.free)

    def uniform(self, count: int, rng: np.random.Generator) -> Array:
        """Draw uniformly, shape (count, 6)."""
        return rng.uniform(self.low, self.high, size=(count, 6))

    def contains(self, theta: Array) -> NDArray[np.bool_]:
        """Tell which rows of theta (B, 6) lie inside, shape (B,)."""
        return np.all((theta >= self.low - 1e-12) & (theta <= self.high + 1e-12), axis=1)

    def to_unit(self, theta: Array) -> Array:
        """Scale the free dimensions to [0, 1]; (B, 6) to (B, len(free))."""
        free = self.free
        return (np.atleast_2d(theta)[:, free] - self.low[free]) / (self.high[free] - self.low[free])

    def from_unit(self, unit: Array) -> Array:
        """Inverse of :meth:`to_unit`; fixed dimensions take their only value. Shape (B, 6)."""
        free = self.free
        theta = np.tile(self.low, (len(unit), 1))
        theta[:, free] = self.low[free] + unit * (self.high[free] - self.low[free])
        return theta


def plug_pose(socket: Poses, theta: Array) -> Poses:
    """Return the plug poses that theta (B, 6) means at a socket pose (in the socket pose's parent frame)."""
    return socket @ Poses.from_xyz_rpy(theta[:, :3], theta[:, 3:])


def theta_of(socket: Poses, plug: Poses) -> Array:
    """Return theta (B, 6) of plug poses relative to the socket."""
    relative = socket.inverse() @ plug
    return np.hstack([relative.pos_m, relative.rpy_rad()])


def tool_pose(socket: Poses, theta: Array, tool_from_plug: Poses) -> Poses:
    """Return the gripper's tool poses that put the plug at theta (B, 6)."""
    return plug_pose(socket, theta) @ tool_from_plug.inverse()
