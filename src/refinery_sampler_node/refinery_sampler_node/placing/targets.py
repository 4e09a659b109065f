"""The targets of a placement: one tool pose, or several of which the best that can be reached is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.rotations import Array, Poses
from refinery_sampler_node.sampling.initial_state_chooser import Choice

NOWHERE = Poses(pos_m=np.array([[0.0, 0.0, -100.0]]), quat_xyzw=np.array([[0.0, 0.0, 0.0, 1.0]]))
"""A socket far below, for where there is none to keep clear of; its z axis points up."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A goal of the arm."""

    tool: Poses
    """Tool pose in the base frame, batch of one."""
    joints_rad: Array
    """Joints at that pose, shape (7,), [rad]."""
    grasp: Array
    """How the part sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`."""
    up: Poses
    """Pose whose z axis points up: the socket estimate, or the base for a given pose without an estimate."""
    theta: Array | None
    """The initial state, shape (9,); None for a given pose."""
    success: float
    """Predicted success from there, [0, 1]; NaN for a given pose."""


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The targets of one placement."""

    ranked: tuple[Target, ...]
    """Targets, the best first."""
    socket: Poses | None
    """Socket estimate in the base frame, batch of one; None for a given pose without an estimate."""
    choice: Choice | None
    """The choice they come from; None for a given pose."""
