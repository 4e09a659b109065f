"""The scripted search that is imitated: align above the hole, press, spiral while the plug rests on the rim.

It uses the policy's own information (noisy estimates, not the true state), so that imitation has no gap to close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.rotations import Array
from refinery.task import Task
from refinery_sim_train.env.insertion_env import InsertionEnv


@dataclass(frozen=True, kw_only=True)
class ExpertSpec:
    """Tuning of the scripted search."""

    hover_m: float = 0.003
    """Height of the tip over the rim while aligning, [m]."""
    aligned_m: float = 0.001
    """Lateral distance to the estimate that counts as aligned, [m]."""
    aligned_rad: float = 0.04
    """Rotation to the estimate that counts as aligned, [rad]."""
    press_m: float = 0.006
    """Distance of the target under the plug while pressing, [m]; times the stiffness it is the force."""
    spiral_m: float = 0.001
    """Largest radius of the search, [m]."""
    spiral_steps: float = 15.0
    """Policy steps per turn of the search."""
    gain: float = 0.4
    """Share of the sideways and angular error the target takes up per policy step (integral action beats stiction)."""


def expert_action(env: InsertionEnv, spec: ExpertSpec) -> Array:
    """Return the scripted action (B, 6) for the present state of the batch, from the filtered estimates.

    Args:
        env: The environment, just observed.
        spec: Tuning.

    Returns:
        Actions in [-1, 1].
    """
    task: Task = env.task
    relative = env.filtered.inverse() @ env.plug
    pos, rotvec = relative.pos_m, relative.rotation.as_rotvec()
    rim = task.rim_height_m
    lateral, angle = np.linalg.norm(pos[:, :2], axis=1), np.linalg.norm(rotvec, axis=1)
    low = pos[:, 2] < rim + 0.5 * spec.hover_m
    aligned = (lateral < np.where(low, 3, 1) * spec.aligned_m) & (angle < np.where(low, 3, 1) * spec.aligned_rad)
    inside = pos[:, 2] < rim - 0.002
    phase = 2 * np.pi * env.step_index / spec.spiral_steps
    radius = spec.spiral_m * np.clip(env.step_index / task.control.episode_steps, 0.3, 1.0) * (aligned & low & ~inside)
    goal = np.column_stack([radius * np.cos(phase), radius * np.sin(phase), np.full(env.count, rim + spec.hover_m)])
    goal[aligned, 2] = pos[aligned, 2] - spec.press_m
    goal[inside, :2] = pos[inside, :2]
    # Far off the axis but low: lift before moving sideways, else the plug drags over the plate.
    goal[~aligned & low, 2] = rim + 2 * spec.hover_m
    error = goal - pos
    step = spec.gain * error
    target = env.filtered.inverse() @ (env.decoder.target @ task.plug.tool_from_plug)
    step[:, 2] = np.where(aligned, goal[:, 2] - target.pos_m[:, 2], spec.gain * error[:, 2])
    turn = -spec.gain * rotvec
    scale = np.asarray(task.control.action_scale)
    wanted_action = np.hstack([step, turn]) / scale
    # Invert the smoothing as far as the range allows, so that the smoothed action reaches the goal.
    keep = 1.0 - task.control.action_smoothing
    unsmoothed = (np.clip(wanted_action, -1, 1) - keep * env.decoder.smoothed) / task.control.action_smoothing
    result: Array = np.clip(unsmoothed, -1.0, 1.0)
    return result
