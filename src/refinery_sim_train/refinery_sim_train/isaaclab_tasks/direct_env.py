"""An insertion task as an environment of Isaac Lab: our observation, action and reward around its physics.

Where an episode starts is asked of a provider, and how it ended is told a sink before its state is overwritten.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from isaaclab.envs import DirectRLEnv
from numpy.typing import NDArray

from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Array
from refinery_sim_train.backends.isaaclab_cell import fill_scene
from refinery_sim_train.backends.newton_cells import NewtonCells, own_decimation
from refinery_sim_train.backends.physics import Simulator
from refinery_sim_train.backends.registry import simulator
from refinery_sim_train.env.episodes import Episodes, draw_episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.isaaclab_tasks.cfg import InsertionEnvCfg
from refinery_sim_train.settings import read_task

Provider = Callable[[NDArray[np.intp]], Episodes]
"""Gives the episodes that start in environments (k,), one for each."""
Sink = Callable[[NDArray[np.intp], Array, NDArray[np.bool_], NDArray[np.bool_]], None]
"""Takes environments (k,), initial states (k, 9), strict success at the last step (k,), and engaged at any (k,)."""


class _SteppedByIsaacLab(NewtonCells):
    """Cells whose physics Isaac Lab steps, between the two parts of the environment's step."""

    simulator: Simulator

    def step(self) -> None:
        """Do nothing: Isaac Lab did."""


class InsertionDirectEnv(DirectRLEnv):
    """An insertion task; :class:`refinery_sim_train.env.insertion_env.InsertionEnv` in Isaac Lab's order of calls.

    Args:
        cfg: Which task, how many environments, on which device.
        render_mode: Isaac Lab's.
        kwargs: Isaac Lab's.
    """

    cfg: InsertionEnvCfg

    def __init__(self, cfg: InsertionEnvCfg, render_mode: str | None = None, **kwargs: Any) -> None:
        cfg.adopt_task()
        self.task = task = read_task(cfg.task)
        profile = load_robot_profile(config_file("robots", "twin"))
        with tempfile.TemporaryDirectory(prefix="refinery_usd_") as folder:
            model = fill_scene(cfg.scene, task, tuple(profile.home_rad), Path(folder))
            super().__init__(cfg, render_mode, **kwargs)
        self._physics_handles_decimation = own_decimation()
        cells = _SteppedByIsaacLab(task, model, self.scene["robot"])
        cells.simulator = simulator("isaaclab", str(self.device))
        self.insertion = InsertionEnv(task, cells, kinematics=profile.arm_kinematics(), home_rad=profile.home_rad)
        """The batch of episodes."""
        self._rng = np.random.default_rng(cfg.seed)
        self.provider: Provider = self._uniform
        """Says where episodes start; uniform over the deployed box unless it is replaced."""
        self.sink: Sink = lambda rows, theta, strict, engaged: None
        """Hears how episodes ended."""
        self._theta = np.zeros((self.num_envs, task.initial_state.deployed.low.size))
        self._strict, self._engaged = (np.zeros(self.num_envs, dtype=bool) for _ in range(2))
        self._reward = np.zeros(self.num_envs)

    def _uniform(self, rows: NDArray[np.intp]) -> Episodes:
        theta = self.task.initial_state.deployed.uniform(len(rows), self._rng)
        return draw_episodes(self.task, theta, self._rng)

    def _pre_physics_step(self, actions: torch.Tensor) -> None:
        self.insertion.begin_step(actions.detach().cpu().numpy().astype(np.float64))

    def _apply_action(self) -> None:
        """The impedance law runs inside the solver; there is nothing to do for a physics step."""

    def _get_dones(self) -> tuple[torch.Tensor, torch.Tensor]:
        self._reward, _, self._strict, self._engaged = self.insertion.end_step()
        over = self.insertion.step_index >= self.task.control.episode_steps
        return torch.zeros(self.num_envs, dtype=torch.bool, device=self.device), self._tensor(over)

    def _get_rewards(self) -> torch.Tensor:
        return self._tensor((self.cfg.reward_scale * self._reward).astype(np.float32))

    def _reset_idx(self, env_ids: Sequence[int]) -> None:
        rows = np.asarray(torch.as_tensor(env_ids).cpu().numpy(), dtype=np.intp)
        ended = rows[self.insertion.step_index[rows] > 0]
        if len(ended):
            strict, engaged = self._strict[ended], self._engaged[ended]
            self.sink(ended, self._theta[ended], strict, engaged)
            log = self.extras.setdefault("log", {})
            log["Metrics/success_rate"], log["Metrics/engaged_rate"] = float(strict.mean()), float(engaged.mean())
        super()._reset_idx(env_ids)
        episodes = self.provider(rows)
        self._theta[rows] = episodes.theta
        self.insertion.reset(episodes, rows)

    def _get_observations(self) -> dict[str, torch.Tensor]:
        policy, privileged = self.insertion.get_observations()
        observed = self._tensor(policy)
        return {"policy": observed, "critic": torch.cat([observed, self._tensor(privileged)], dim=-1)}

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.array(array)).to(self.device)
