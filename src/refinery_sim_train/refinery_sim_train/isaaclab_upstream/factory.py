"""Factory's PegInsert with imposed starts: socket, part in the hand, and the error of the socket's observed place."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.utils import configclass
from isaaclab_tasks.contrib.factory.factory_env import FactoryEnv
from isaaclab_tasks.contrib.factory.factory_env_cfg import FactoryTaskPegInsertCfg
from isaaclab_tasks.contrib.factory.factory_utils import get_deriv_gains

from refinery.errors import RefineryError
from refinery.rotations import Poses
from refinery_sim_train.isaaclab_upstream.imposed import ImposedStarts
from refinery_sim_train.isaaclab_upstream.requirements import asset_paths, require_assets, require_isaac_sim
from refinery_sim_train.isaaclab_upstream.tasks import factory_task

ID = "Refinery-Factory-PegInsert-Direct"
REACHED = 1e-3
"""Largest error of the inverse kinematics, position [m] and turn [rad]; Factory's."""
GRASP_S = 0.25
"""Time the gripper is given to close, [s]; Factory's."""


@configclass
class ImposedFactoryCfg(FactoryTaskPegInsertCfg):
    """Factory's PegInsert; it has no curriculum."""


class ImposedFactoryEnv(ImposedStarts, FactoryEnv):
    """Factory's environment, whose random starts are replaced.

    Args:
        cfg: Isaac Lab's.
        render_mode: Isaac Lab's.
        kwargs: Isaac Lab's.

    Raises:
        ConfigError: Isaac Sim or an asset is missing.
    """

    actions: torch.Tensor
    """Smoothed actions, shape (B, 6)."""

    def __init__(self, cfg: ImposedFactoryCfg, render_mode: str | None = None, **kwargs: Any) -> None:
        require_isaac_sim(ID)
        require_assets(ID, asset_paths(cfg))
        task = factory_task(cfg)
        super().__init__(cfg, render_mode, **kwargs)
        self.impose(task)

    def randomize_initial_state(self, env_ids: torch.Tensor) -> None:
        """Put socket, hand and part where the episode starts, and close the gripper; in Factory's order.

        Raises:
            RefineryError: The arm cannot reach an initial state.
        """
        starts, gravity = self._starts, self.sim.physics_manager
        gravity.set_gravity((0.0, 0.0, 0.0))
        self._place(self._fixed_asset, starts.fixed)
        self.init_fixed_pos_obs_noise[:] = self._tensor(starts.estimate_error_m)
        self.step_sim_no_action()
        height_m = self.cfg_task.fixed_asset_cfg.height + self.cfg_task.fixed_asset_cfg.base_height
        rim = starts.fixed @ Poses.from_xyz_rpy([[0.0, 0.0, height_m]], [[0.0, 0.0, 0.0]])
        self.fixed_pos_obs_frame[:] = self._tensor(rim.pos_m)
        errors = self.set_pos_inverse_kinematics(
            ctrl_target_fingertip_midpoint_pos=self._tensor(starts.fingertips.pos_m),
            ctrl_target_fingertip_midpoint_quat=self._tensor(starts.fingertips.quat_xyzw),
            env_ids=env_ids,
        )
        missed = torch.stack([torch.linalg.norm(error, dim=1) > REACHED for error in errors]).any(dim=0)
        if missed.any():
            theta = self.theta[missed.cpu().numpy()][0].round(4).tolist()
            raise RefineryError(f"task {self.task.name}: the arm cannot reach initial state {theta}; move the socket")
        self._place(self._held_asset, starts.held)
        self._close_gripper()
        self._begin_at_rest()
        gravity.set_gravity(tuple(self.cfg.sim.gravity))

    def _close_gripper(self) -> None:
        gains = torch.tensor(self.cfg.ctrl.reset_task_prop_gains, device=self.device).repeat((self.num_envs, 1))
        self.task_prop_gains = gains
        self.task_deriv_gains = get_deriv_gains(gains, self.cfg.ctrl.reset_rot_deriv_scale)
        self.step_sim_no_action()
        for _ in range(round(GRASP_S / self.physics_dt)):
            self.ctrl_target_joint_pos[:, 7:] = 0.0
            self.close_gripper_in_place()
            self.step_sim_no_action()

    def _begin_at_rest(self) -> None:
        """Forget the way here: actions that are smoothed, velocities from differences, gains."""
        self.prev_joint_pos = self.joint_pos[:, 0:7].clone()
        self.prev_fingertip_pos = self.fingertip_midpoint_pos.clone()
        self.prev_fingertip_quat = self.fingertip_midpoint_quat.clone()
        self.actions = torch.zeros_like(self.actions)
        self.prev_actions = torch.zeros_like(self.actions)
        self.ee_angvel_fd[:], self.ee_linvel_fd[:] = 0.0, 0.0
        self.task_prop_gains = self.default_gains
        self.task_deriv_gains = get_deriv_gains(self.default_gains)
