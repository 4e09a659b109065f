"""The twin draws its trials as the training environment draws its episodes."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.stats import ks_2samp

from refinery.task import Task
from refinery.testing.bundles import with_grasps
from refinery_sim_train.env.episodes import draw_episodes
from refinery_twin.trial import draw_trial


def test_draws_are_distributed_as_in_training(task: Task) -> None:
    """Of the shipped task with grasps and friction that vary."""
    task = with_grasps(task)
    task = dataclasses.replace(task, socket=dataclasses.replace(task.socket, friction_range=0.2))
    count = 3000
    ours = [draw_trial(task, seed) for seed in range(count)]
    theirs = draw_episodes(task, np.zeros((count, 9)), np.random.default_rng(1))
    pairs = {
        "socket": (np.vstack([d.socket.pos_m for d in ours]), theirs.socket.pos_m),
        "socket yaw": (np.vstack([d.socket.rpy_rad() for d in ours]), theirs.socket.rpy_rad()),
        "bias": (
            np.vstack([d.estimate.pos_m - d.socket.pos_m for d in ours]),
            theirs.estimate.pos_m - theirs.socket.pos_m,
        ),
        "yaw bias": (
            np.vstack([d.estimate.rpy_rad() - d.socket.rpy_rad() for d in ours]),
            theirs.estimate.rpy_rad() - theirs.socket.rpy_rad(),
        ),
        "control bias": (np.vstack([d.control_bias_m for d in ours]), theirs.control_bias_m),
        "friction": (np.array([[d.friction] for d in ours]), theirs.friction[:, None]),
    }
    for name, (mine, other) in pairs.items():
        for column in range(mine.shape[1]):
            if np.ptp(other[:, column]) < 1e-12:
                assert np.ptp(mine[:, column]) < 1e-12, name
            else:
                assert ks_2samp(mine[:, column], other[:, column]).pvalue > 1e-3, f"{name}, column {column}"
