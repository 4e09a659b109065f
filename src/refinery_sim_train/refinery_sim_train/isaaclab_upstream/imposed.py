"""What Factory's and AutoMate's environments get in common: a provider of starts, a sink of outcomes, true errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from isaaclab.envs import DirectRLEnv
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery.rotations import Array, Poses
from refinery.success import PlugOffset, engaged, plug_offset, strict
from refinery.task import Task
from refinery_sim_train.env.episodes import Episodes, draw_episodes
from refinery_sim_train.isaaclab_upstream.starts import Starts, starts_of
from refinery_sim_train.isaaclab_upstream.tasks import SYMMETRY

Provider = Callable[[NDArray[np.intp]], Episodes]
"""Gives the episodes that start in environments (k,), one for each."""
Sink = Callable[[NDArray[np.intp], Array, NDArray[np.bool_], NDArray[np.bool_]], None]
"""Takes environments (k,), initial states (k, 9), strict success at the last step (k,), and engaged at any (k,)."""


class ImposedStarts(DirectRLEnv):
    """Goes before one of Isaac Lab's environments among the bases of a class; call :meth:`impose` once it is built."""

    task: Task
    """The task in our terms."""

    def impose(self, task: Task) -> None:
        """Start with a provider that draws uniformly, and a sink that nobody listens to."""
        self.task = task
        rng = np.random.default_rng(self.cfg.seed)
        deployed = task.initial_state.deployed
        self.provider: Provider = lambda rows: draw_episodes(task, deployed.uniform(len(rows), rng), rng)
        """Says where episodes start."""
        self.sink: Sink = lambda rows, theta, strict, engaged: None
        """Hears how episodes ended, before their state is overwritten."""
        self.restarts = True
        """Whether an episode whose time is over is followed by another one at once."""
        self.theta = np.zeros((self.num_envs, task.initial_state.deployed.low.size))
        """Initial states of the present episodes, shape (B, 9)."""
        self.strict, self.engaged = (np.zeros(self.num_envs, dtype=bool) for _ in range(2))
        """Strict success at the last step, shape (B,); and whether the part was engaged at any, shape (B,)."""
        self.offset: PlugOffset
        """Where the part is relative to its seat."""
        self._starts: Starts
        self._begun = False

    def _get_dones(self) -> tuple[torch.Tensor, torch.Tensor]:
        terminated, over = super()._get_dones()
        self._measure()
        if self.restarts:
            return terminated, over
        return torch.zeros_like(terminated), torch.zeros_like(over)

    def _measure(self) -> None:
        fixed, held = self._poses(self.fixed_pos, self.fixed_quat), self._poses(self.held_pos, self.held_quat)
        self.offset = plug_offset(fixed, held, SYMMETRY)
        self.strict = strict(self.offset, self.task.success)
        self.engaged = self.engaged | engaged(fixed, held, self.task.success, self.task.rim_height_m)

    def _reset_idx(self, env_ids: Any) -> None:
        rows = torch.as_tensor(env_ids).cpu().numpy().astype(np.intp)
        if len(rows) != self.num_envs:
            raise RefineryError(f"task {self.task.name}: its environments start together, all {self.num_envs} of them")
        if self._begun:
            self.sink(rows, self.theta[rows], self.strict[rows], self.engaged[rows])
        episodes = self.provider(rows)
        self._starts, self.theta, self._begun = starts_of(self.task, episodes), episodes.theta, True
        self.engaged = np.zeros(self.num_envs, dtype=bool)
        super()._reset_idx(env_ids)
        self._reset_buffers(env_ids)

    def _place(self, asset: Any, poses: Poses) -> None:
        """Put an asset to rest at poses in the environments' frames."""
        pose = torch.cat([self._tensor(poses.pos_m) + self.scene.env_origins, self._tensor(poses.quat_xyzw)], dim=1)
        everywhere = torch.arange(self.num_envs, device=self.device)
        asset.write_root_pose_to_sim_index(root_pose=pose, env_ids=everywhere)
        still = torch.zeros((self.num_envs, 6), device=self.device)
        asset.write_root_velocity_to_sim_index(root_velocity=still, env_ids=everywhere)
        asset.reset()

    def _tensor(self, array: Array) -> torch.Tensor:
        return torch.tensor(array, dtype=torch.float32, device=self.device)

    @staticmethod
    def _poses(position: torch.Tensor, quaternion: torch.Tensor) -> Poses:
        found = (tensor.detach().cpu().numpy().astype(np.float64) for tensor in (position, quaternion))
        pos_m, quat_xyzw = found
        return Poses(pos_m=pos_m, quat_xyzw=quat_xyzw)
