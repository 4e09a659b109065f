"""Where a placement goes: one pose for the tool, or several of which the best that can be reached is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses
from refinery_sampler_node.candidates import Choice

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where to go."""

    tool: Poses
    """Tool pose in the base frame, batch of one."""
    joints_rad: Array
    """Joints there, shape (7,), [rad]."""
    grasp: Array
    """How the part sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`."""
    up: Poses
    """Its z axis is "up": the socket estimate, or the base for a given pose without an estimate."""
    theta: Array | None
    """The initial state, shape (9,), if it was sampled."""
    success: float
    """Predicted success from there, [0, 1]; NaN for a given pose."""


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Where to go, and where else if that cannot be reached."""

    ranked: tuple[Target, ...]
    """The best first."""
    socket: Poses | None
    """Socket estimate in the base frame, batch of one; none for a given pose without an estimate."""
    choice: Choice | None
    """What was looked at, if anything was sampled."""
