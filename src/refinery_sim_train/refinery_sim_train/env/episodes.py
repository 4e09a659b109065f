"""Everything random about a batch of episodes, drawn up front: same draws and same actions give the same outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses
from refinery.task import Task

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """Draws of n episodes; frames: base unless named otherwise."""

    theta: Array
    """Initial states in the estimated socket frame, shape (n, 9)."""
    socket: Poses
    """True socket poses."""
    estimate: Poses
    """Socket poses as estimated without jitter: truth plus the episode's bias."""
    control_bias_m: Array
    """Error of the commanded position, shape (n, 3), [m]."""
    jitter_m: Array
    """Error of every single estimate, shape (n, steps + 1, 3), [m]."""
    friction: Array
    """Sliding friction coefficient of the plug, shape (n,)."""

    def __len__(self) -> int:
        return len(self.theta)

    def __getitem__(self, index: NDArray[np.intp] | slice) -> Episodes:
        return Episodes(
            theta=self.theta[index],
            socket=self.socket[index],
            estimate=self.estimate[index],
            control_bias_m=self.control_bias_m[index],
            jitter_m=self.jitter_m[index],
            friction=self.friction[index],
        )


def draw_episodes(task: Task, theta: Array, rng: np.random.Generator) -> Episodes:
    """Draw socket poses and noise for given initial states.

    Args:
        task: Ranges and noise levels.
        theta: Initial states, shape (n, 9).
        rng: Source of randomness; the draws do not depend on theta, so equal seeds pair conditions.

    Returns:
        The episodes.
    """
    n, noise, socket = len(theta), task.noise, task.socket
    xyz = np.asarray(socket.nominal_xyz_m) + rng.uniform(-1, 1, (n, 3)) * np.asarray(socket.range_xyz_m)
    yaw = rng.uniform(-1, 1, n) * socket.range_yaw_rad
    bias = np.column_stack([rng.normal(0, noise.estimate_bias_m, (n, 2)), np.zeros(n)])
    yaw_bias = rng.normal(0, noise.estimate_bias_yaw_rad, n)
    zeros = np.zeros((n, 2))
    return Episodes(
        theta=theta,
        socket=Poses.from_xyz_rpy(xyz, np.column_stack([zeros, yaw])),
        estimate=Poses.from_xyz_rpy(xyz + bias, np.column_stack([zeros, yaw + yaw_bias])),
        control_bias_m=rng.normal(0, noise.control_bias_m, (n, 3)),
        jitter_m=rng.uniform(-1, 1, (n, task.control.episode_steps + 1, 3)) * noise.estimate_jitter_m,
        friction=socket.friction + rng.uniform(-1, 1, n) * socket.friction_range,
    )
