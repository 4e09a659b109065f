"""Everything random about a batch of episodes, drawn up front: same draws and same actions give the same outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from refinery.rotations import Poses
from refinery.task import Task

Array = NDArray[np.float64]
BLOCK = 64
"""Episodes of a set whose order is drawn together."""


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
    """Draw socket poses and noise for given initial states, each episode independently, as training uses them.

    Args:
        task: Ranges and noise levels.
        theta: Initial states, shape (n, 9).
        rng: Source of randomness; the draws do not depend on theta, so equal seeds pair conditions.

    Returns:
        The episodes.
    """
    n = len(theta)
    return _episodes(task, theta, rng.random((n, 7)), rng.normal(size=(n, 4)), rng.random((n, *_jitter_shape(task))))


def draw_episode_set(task: Task, theta: Array, seed: int) -> Episodes:
    """Draw a set of episodes for evaluation: distributed as those of training, stratified where failures come from.

    The size of the estimate's bias and the friction come from a scrambled Sobol sequence: of n episodes, n a power of
    two from :data:`BLOCK`, exactly one has a bias in each n-th of its distribution, and so for the friction. Any other
    number is stratified nearly as evenly.

    Args:
        task: Ranges and noise levels.
        theta: Initial states, shape (n, 9).
        seed: Seed of all draws; they do not depend on theta, and a smaller set is the beginning of a larger one.

    Returns:
        The episodes.
    """
    n = len(theta)
    # A separate generator each, so that the number of episodes does not change the draws.
    rngs = [np.random.default_rng([seed, part]) for part in range(3, 8)]
    stratified = qmc.Sobol(2, rng=rngs[0]).random_base2((max(n, BLOCK) - 1).bit_length()).reshape(-1, BLOCK, 2)
    # However they are scrambled, the sequences of two seeds are tied to each other by their order.
    order = rngs[1].permuted(np.tile(np.arange(BLOCK), (len(stratified), 1)), axis=1)
    shuffled = np.take_along_axis(stratified, order[:, :, None], axis=1).reshape(-1, 2)[:n]
    uniform = np.column_stack([shuffled, rngs[2].random((n, 5))])
    return _episodes(task, theta, uniform, rngs[3].normal(size=(n, 4)), rngs[4].random((n, *_jitter_shape(task))))


def _jitter_shape(task: Task) -> tuple[int, int]:
    return task.control.episode_steps + 1, 3


def _episodes(task: Task, theta: Array, uniform: Array, normal: Array, jitter: Array) -> Episodes:
    """Scale draws from [0, 1), shape (n, 7), the size of the bias and the friction first, and standard normal ones."""
    n, noise, socket = len(theta), task.noise, task.socket
    xyz = np.asarray(socket.nominal_xyz_m) + (2 * uniform[:, 2:5] - 1) * np.asarray(socket.range_xyz_m)
    yaw = (2 * uniform[:, 5] - 1) * socket.range_yaw_rad
    # Two normal deviates in polar form.
    radius, angle = np.sqrt(-2 * np.log1p(-uniform[:, 0])), 2 * np.pi * uniform[:, 6]
    bias = noise.estimate_bias_m * np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(n)])
    yaw_bias = noise.estimate_bias_yaw_rad * normal[:, 3]
    zeros = np.zeros((n, 2))
    return Episodes(
        theta=theta,
        socket=Poses.from_xyz_rpy(xyz, np.column_stack([zeros, yaw])),
        estimate=Poses.from_xyz_rpy(xyz + bias, np.column_stack([zeros, yaw + yaw_bias])),
        control_bias_m=noise.control_bias_m * normal[:, :3],
        jitter_m=(2 * jitter - 1) * noise.estimate_jitter_m,
        friction=socket.friction + (2 * uniform[:, 1] - 1) * socket.friction_range,
    )
