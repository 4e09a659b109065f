"""Factory-Franka with starts chosen from its bank of validated states, instead of drawn by its curriculum."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from isaaclab.envs import ManagerBasedRLEnv
from isaaclab.utils import configclass
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.contrib.nist.factory_env_cfg import FactoryEnvCfg
from isaaclab_tasks.contrib.nist.mdp import reset_accumulator
from isaaclab_tasks.contrib.nist.utils import SamplerCfg, UniformSamplingStrategyCfg
from numpy.typing import NDArray

from refinery.rotations import Poses
from refinery_sim_train.isaaclab_upstream.requirements import asset_paths, require_assets, require_isaac_sim
from refinery_sim_train.isaaclab_upstream.slots import relative_poses, root_columns

ID = "Refinery-Factory-Franka"
SlotProvider = Callable[[NDArray[np.intp]], NDArray[np.intp]]
"""Gives the slots of the bank that start in environments (k,)."""
SlotSink = Callable[[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]], None]
"""Takes environments (k,), the slots they started from (k,), and Isaac Lab's success at the last step (k,)."""


class ForcedSlots(reset_accumulator):
    """Isaac Lab's reset from the bank, with the last word about which state each environment gets.

    Args:
        cfg: Isaac Lab's.
        env: Isaac Lab's.
    """

    def __init__(self, cfg: Any, env: Any) -> None:
        super().__init__(cfg, env)
        self.provider: SlotProvider | None = None
        """Says where episodes start; nothing leaves it to the configured sampling."""
        self.sink: SlotSink = lambda rows, slots, success: None
        """Hears how episodes ended, before their state is overwritten."""

    # Isaac Lab reads the parameters of a term from its signature.
    @functools.wraps(reset_accumulator.__call__)
    def __call__(self, env: Any, env_ids: Any, **params: Any) -> None:
        """Tell the sink how episodes ended, then reset."""
        rows = env.scene._ALL_INDICES[env_ids]
        ended = rows[env.episode_length_buf[rows] > 0]
        if len(ended):
            success = env.termination_manager.get_term_cfg("progress_context").func.is_success[ended]
            self.sink(_numpy(ended), _numpy(self.sampled_slots[ended]), success.cpu().numpy())
        super().__call__(env, env_ids, **params)
        if self.provider is not None:
            slots = self.provider(_numpy(rows))
            self.sampled_slots[rows] = torch.as_tensor(slots, device=self.sampled_slots.device)
            self.apply_sampled_slots(rows)

    def relative_poses(self, seat: Poses, align: Poses) -> Poses:
        """Return where the held part is relative to its seat in each state of the bank."""
        scene = self._env.scene
        joints = {name: asset.num_joints for name, asset in scene.articulations.items()}
        columns = root_columns(joints, tuple(scene.rigid_objects), self.reset_assets)
        return relative_poses(self.state_data.cpu().numpy().astype(np.float64), columns, seat, align)


@configclass
class ImposedFrankaCfg(FactoryEnvCfg):
    """Factory-Franka at full gravity from the start, its states drawn uniformly unless they are chosen."""

    def __post_init__(self) -> None:
        """Switch the curricula off, in this configuration only."""
        super().__post_init__()
        uniform = SamplerCfg(strategies=[UniformSamplingStrategyCfg(weight=1.0)], eps=0.0)
        reset = self.events.reset_strategies
        self.events.reset_strategies = reset.replace(func=ForcedSlots, params=reset.params | {"sampling": uniform})
        self.events.variable_gravity = None
        self.curriculum.gravity_adr = None
        self.curriculum.difficulty_scheduler = None


def without_restarts(cfg: ImposedFrankaCfg) -> ImposedFrankaCfg:
    """Let episodes go on until they are reset: success, time and accidents end none. Changes ``cfg`` in place."""
    for name in ("time_out", "oob", "abnormal", "wrist_limit", "success"):
        setattr(cfg.terminations, name, None)
    # It is about one of them.
    cfg.rewards.early_termination = None
    return cfg


class ImposedFrankaEnv(ManagerBasedRLEnv):
    """Isaac Lab's environment, after a look whether what it needs is there.

    Args:
        cfg: Isaac Lab's, with its presets resolved.
        render_mode: Isaac Lab's.
        kwargs: Isaac Lab's.

    Raises:
        ConfigError: An asset is missing, or Isaac Sim, where the physics is PhysX.
    """

    def __init__(self, cfg: ImposedFrankaCfg, render_mode: str | None = None, **kwargs: Any) -> None:
        if isinstance(cfg.sim.physics, PhysxCfg):
            require_isaac_sim(ID)
        require_assets(ID, asset_paths(cfg))
        super().__init__(cfg, render_mode, **kwargs)

    @property
    def forced(self) -> ForcedSlots:
        """The bank."""
        found: ForcedSlots = self.event_manager.get_term_cfg("reset_strategies").func
        return found

    @property
    def progress(self) -> Any:
        """Isaac Lab's measure of success: ``is_success``, ``z_distance``, ``xy_distance``, ``euler_xy_diff``."""
        return self.termination_manager.get_term_cfg("progress_context").func


def seat_and_align(progress: Any) -> tuple[Poses, Poses]:
    """Return the frames whose distance is success, batches of one.

    Args:
        progress: Isaac Lab's measure of success.

    Returns:
        The frame of the seated part in the fixed asset's, and the one that comes to lie on it in the held asset's.
    """
    seat, align = progress.profile.assembled_offset, progress.held_asset_offset
    return Poses.single(seat.pos, seat.quat), Poses.single(align.pos, align.quat)


def _numpy(tensor: torch.Tensor) -> NDArray[np.intp]:
    return np.asarray(tensor.cpu().numpy(), dtype=np.intp)
