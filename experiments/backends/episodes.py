"""One set of episodes under one policy in one simulator, and what the plug felt."""

from __future__ import annotations

import time
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array
from refinery_sim.model import build_model
from refinery_sim_train.backends.physics import timestep_s
from refinery_sim_train.env.episodes import Episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.learn.agent import Agent

TOUCHING_N = 0.1
"""Force on the plug from which on it is said to touch."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Outcomes of n episodes of T policy steps."""

    strict: NDArray[np.bool_]
    """Strict success at the last step, shape (n,)."""
    engaged: NDArray[np.bool_]
    """Engaged at any step, shape (n,)."""
    force_n: Array
    """Net contact force on the plug at the end of every policy step, shape (T, n), [N]."""
    steps_per_cpu_s: float
    """Environment steps per second of CPU time of this process, inference not counted."""
    steps_per_s: float
    """Environment steps per second of wall time, inference not counted."""


class ContactForce:
    """Net contact force on the plug from the torques that contacts put on the joints, alike for every simulator.

    Args:
        env: The cells.
    """

    def __init__(self, env: InsertionEnv) -> None:
        self._env = env
        self._model, at = build_model(env.task, timestep_s=timestep_s(env.task), scenery=False)
        self._data, self._site = mujoco.MjData(self._model), at.tool_site

    def __call__(self) -> Array:
        """Forces at the last physics step, shape (B,), [N]."""
        torques, joints = self._env.physics.contact_torque_nm(), self._env.physics.joints_rad()
        forces = np.zeros(len(torques))
        linear, angular = np.zeros((3, self._model.nv)), np.zeros((3, self._model.nv))
        for row in np.flatnonzero(np.any(torques != 0.0, axis=1)):
            self._data.qpos[:] = joints[row]
            mujoco.mj_kinematics(self._model, self._data)
            mujoco.mj_comPos(self._model, self._data)
            mujoco.mj_jacSite(self._model, self._data, linear, angular, self._site)
            wrench, *_ = np.linalg.lstsq(np.vstack([linear, angular]).T, torques[row], rcond=None)
            forces[row] = np.linalg.norm(wrench[:3])
        return forces


def run_episodes(env: InsertionEnv, agent: Agent, episodes: Episodes) -> Run:
    """Run the episodes, one in each environment, under the policy's mean action."""
    force = ContactForce(env)
    env.reset(episodes)
    agent.reset()
    felt, spent_s, wall_s = [], 0.0, 0.0
    for _ in range(env.task.control.episode_steps):
        cpu, wall = time.process_time(), time.perf_counter()
        observation, _ = env.get_observations()
        spent_s, wall_s = spent_s + time.process_time() - cpu, wall_s + time.perf_counter() - wall
        action = agent.act(observation)
        cpu, wall = time.process_time(), time.perf_counter()
        _, _, strict, engaged = env.step(action)
        spent_s, wall_s = spent_s + time.process_time() - cpu, wall_s + time.perf_counter() - wall
        felt.append(force())
    steps = env.count * env.task.control.episode_steps
    return Run(
        strict=strict,
        engaged=engaged,
        force_n=np.stack(felt),
        steps_per_cpu_s=steps / spent_s,
        steps_per_s=steps / wall_s,
    )
