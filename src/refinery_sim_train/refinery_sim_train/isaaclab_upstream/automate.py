"""AutoMate's Assembly with imposed starts; its sampling-based curriculum is off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from isaaclab.utils import configclass
from isaaclab.utils.assets import retrieve_file_path
from isaaclab_tasks.contrib.automate.assembly_env import AssemblyEnv
from isaaclab_tasks.contrib.automate.assembly_env_cfg import AssemblyEnvCfg

from refinery.task import Task
from refinery_sim_train.isaaclab_upstream.imposed import ImposedStarts
from refinery_sim_train.isaaclab_upstream.requirements import asset_paths, require_assets, require_isaac_sim
from refinery_sim_train.isaaclab_upstream.tasks import automate_task

ID = "Refinery-AutoMate-Assembly-Direct"


@configclass
class ImposedAutoMateCfg(AssemblyEnvCfg):
    """AutoMate's Assembly without its curriculum, which would lower parts into the socket at the start."""

    def __post_init__(self) -> None:
        """Switch the curriculum off, in this configuration only."""
        self.tasks.update({name: task.replace(if_sbc=False) for name, task in self.tasks.items()})


class ImposedAutoMateEnv(ImposedStarts, AssemblyEnv):
    """AutoMate's environment, whose random starts are replaced: the hand then goes onto the part by itself.

    How the part sits in the hand is AutoMate's choice (``plug_grasps.json``): a start's grasp is not imposed.

    Args:
        cfg: Isaac Lab's.
        render_mode: Isaac Lab's.
        kwargs: Isaac Lab's.

    Raises:
        ConfigError: Isaac Sim or an asset is missing.
    """

    def __init__(self, cfg: ImposedAutoMateCfg, render_mode: str | None = None, **kwargs: Any) -> None:
        require_isaac_sim(ID)
        require_assets(ID, asset_paths(cfg))
        task = read_task(cfg)
        super().__init__(cfg, render_mode, **kwargs)
        self.impose(task)

    def randomize_fixed_initial_state(self, env_ids: torch.Tensor) -> None:
        """Put the socket where the episode has it, observed with the episode's error."""
        self._place(self._fixed_asset, self._starts.fixed)
        self.init_fixed_pos_obs_noise[:] = self._tensor(self._starts.estimate_error_m)
        self.step_sim_no_action()

    def randomize_held_initial_state(self, env_ids: torch.Tensor, pre_grasp: bool) -> None:
        """Put the part where the episode starts: before the hand goes there, and again before it closes."""
        self._place(self._held_asset, self._starts.held)
        self.step_sim_no_action()


def read_task(cfg: Any) -> Task:
    """Return the task of a configuration; its insertion depth is in an asset."""
    task = cfg.tasks[cfg.task_name]
    depths = json.loads(Path(retrieve_file_path(task.disassembly_dist_json)).read_text(encoding="utf-8"))
    return automate_task(cfg, float(depths[f"asset_{task.assembly_id}"]))
