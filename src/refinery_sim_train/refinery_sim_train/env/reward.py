"""Reward of a policy step, from the true state, vectorised over environments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses
from refinery.success import PlugOffset, plug_offset, strict
from refinery.task import Task
from refinery_sim.section import half_size_m, symmetry

Array = NDArray[np.float64]

_ORIGIN = Poses.from_xyz_rpy(np.zeros(3), np.zeros(3))


def step_reward(task: Task, relative: Poses, action: Array, last_action: Array) -> tuple[Array, PlugOffset]:
    """Score one step: closeness at two scales, depth while in the hole, seated, minus effort and jerk.

    Args:
        task: Geometry and success test.
        relative: True plug poses in the true socket frame, batch B.
        action: Smoothed actions of this step, shape (B, 6).
        last_action: Smoothed actions of the step before, shape (B, 6).

    Returns:
        Rewards (B,), about [0, 2] a step, and the insertion errors.
    """
    errors = plug_offset(_ORIGIN, relative, symmetry(task.plug.section))
    radius = max(half_size_m(task.plug.section))
    sideways = errors.lateral_m + radius * errors.angle_rad
    height = np.abs(errors.height_m) / task.rim_height_m
    in_hole = (sideways < 4 * task.socket.clearance_m) & (errors.height_m < task.rim_height_m)
    reward = (
        0.2 * (1 - np.tanh(sideways / 0.005))
        + 0.2 * (1 - np.tanh(sideways / 0.001))
        + 0.2 * (1 - np.tanh(height))
        + 0.4 * in_hole * (1 - np.minimum(height, 1.0))
        + strict(errors, task.success)
        - 0.005 * np.sum(action**2, axis=1)
        - 0.02 * np.sum((action - last_action) ** 2, axis=1)
    )
    return reward, errors
