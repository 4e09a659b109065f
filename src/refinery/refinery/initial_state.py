"""Initial states theta: plug pose in the estimated socket frame, and grasp, at hand-over (paper, section 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.config import check
from refinery.rotations import Array, Poses

POSE_NAMES = ("x", "y", "z", "roll", "pitch", "yaw")
"""The plug's pose: position of its tip [m] and roll, pitch, yaw [rad], in the estimated socket frame."""
GRASP_NAMES = ("grasp_x", "grasp_z", "grasp_pitch")
"""How the plug sits in the hand, away from the intended grasp: shift along x and z of the tool frame [m], and turn
about its y axis, the line through both finger pads [rad]. The pads allow no other play."""
THETA_NAMES = POSE_NAMES + GRASP_NAMES
"""Order of theta everywhere."""
GRASP = slice(6, 9)
"""Columns of the grasp in theta."""

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class BoxSpec:
    """Lower and upper bound of every dimension of the initial state; what is not named does not vary from 0."""

    x: Range = (0.0, 0.0)
    """Tip along x of the socket, [m]."""
    y: Range = (0.0, 0.0)
    """Tip along y of the socket, [m]."""
    z: Range
    """Height of the tip over the seated tip, [m]."""
    roll: Range = (0.0, 0.0)
    """Turn about x of the socket, [rad]."""
    pitch: Range = (0.0, 0.0)
    """Turn about y of the socket, [rad]."""
    yaw: Range = (0.0, 0.0)
    """Turn about z of the socket, [rad]."""
    grasp_x: Range = (0.0, 0.0)
    """Shift in the hand along x of the tool, [m]."""
    grasp_z: Range = (0.0, 0.0)
    """Shift in the hand along z of the tool, [m]."""
    grasp_pitch: Range = (0.0, 0.0)
    """Turn in the hand about y of the tool, [rad]."""

    def __post_init__(self) -> None:
        """Validate that bounds are ordered."""
        for name in THETA_NAMES:
            low, high = getattr(self, name)
            check(low <= high, name, "a lower and an upper bound", (low, high))

    @property
    def box(self) -> Box:
        """The box."""
        bounds = np.array([getattr(self, name) for name in THETA_NAMES], dtype=np.float64)
        return Box(low=bounds[:, 0], high=bounds[:, 1])


@dataclass(frozen=True, kw_only=True)
class InitialStateSpec:
    """Two boxes of initial states: where the base policy was trained and where it is deployed."""

    trained_in: BoxSpec
    """Where the base policy was trained."""
    deployed_in: BoxSpec
    """Where it is deployed; contains the former."""

    def __post_init__(self) -> None:
        """Validate that training lies inside deployment."""
        for name in THETA_NAMES:
            (t_low, t_high), (d_low, d_high) = getattr(self.trained_in, name), getattr(self.deployed_in, name)
            inside = d_low <= t_low and d_high >= t_high
            check(inside, f"deployed_in.{name}", f"bounds around the trained {(t_low, t_high)}", (d_low, d_high))

    @property
    def trained(self) -> Box:
        """The training box."""
        return self.trained_in.box

    @property
    def deployed(self) -> Box:
        """The deployment box."""
        return self.deployed_in.box


@dataclass(frozen=True, kw_only=True)
class Box:
    """An axis-aligned box of initial states."""

    low: Array
    """Lower corner, shape (9,), order :data:`THETA_NAMES`."""
    high: Array
    """Upper corner, shape (9,)."""

    @property
    def free(self) -> NDArray[np.intp]:
        """Indices of the dimensions that vary."""
        return np.flatnonzero(self.high > self.low)

    @property
    def free_names(self) -> tuple[str, ...]:
        """Names of the dimensions that vary."""
        return tuple(THETA_NAMES[i] for i in self.free)

    def uniform(self, count: int, rng: np.random.Generator) -> Array:
        """Draw uniformly, shape (count, 9)."""
        return rng.uniform(self.low, self.high, size=(count, len(THETA_NAMES)))

    def contains(self, theta: Array) -> NDArray[np.bool_]:
        """Tell which rows of theta (B, 9) lie inside, shape (B,)."""
        return np.all((theta >= self.low - 1e-12) & (theta <= self.high + 1e-12), axis=1)

    def to_unit(self, theta: Array) -> Array:
        """Scale the free dimensions to [0, 1]; (B, 9) to (B, len(free))."""
        free = self.free
        return (np.atleast_2d(theta)[:, free] - self.low[free]) / (self.high[free] - self.low[free])

    def from_unit(self, unit: Array) -> Array:
        """Inverse of :meth:`to_unit`; fixed dimensions take their only value. Shape (B, 9)."""
        free = self.free
        theta = np.tile(self.low, (len(unit), 1))
        theta[:, free] = self.low[free] + unit * (self.high[free] - self.low[free])
        return theta


def grasp_offset(grasp: Array) -> Poses:
    """Displacement of the held part in the tool frame for grasps (B, 3), order :data:`GRASP_NAMES`.

    It goes in front of the intended pose: the plug sits at ``grasp_offset(grasp) @ tool_from_plug``.
    """
    zeros = np.zeros(len(grasp))
    return Poses.from_xyz_rpy(
        np.column_stack([grasp[:, 0], zeros, grasp[:, 1]]), np.column_stack([zeros, grasp[:, 2], zeros])
    )


def plug_pose(socket: Poses, theta: Array) -> Poses:
    """Return the plug poses that theta (B, 9) means at a socket pose (in the socket pose's parent frame)."""
    return socket @ Poses.from_xyz_rpy(theta[:, 0:3], theta[:, 3:6])


def theta_of(socket: Poses, plug: Poses, grasp: Array) -> Array:
    """Return theta (B, 9) of plug poses relative to the socket, held with grasp offsets (B, 3)."""
    relative = socket.inverse() @ plug
    return np.hstack([relative.pos_m, relative.rpy_rad(), np.broadcast_to(grasp, (len(relative), 3))])


def tool_pose(socket: Poses, theta: Array, tool_from_plug: Poses) -> Poses:
    """Return the gripper's tool poses that put the plug at theta (B, 9), given its intended pose in the hand."""
    return plug_pose(socket, theta) @ (grasp_offset(theta[:, GRASP]) @ tool_from_plug).inverse()
