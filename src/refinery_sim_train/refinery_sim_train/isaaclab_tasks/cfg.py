"""Configuration of our tasks for Isaac Lab: one class for all, and a subclass by the name of each shipped task."""

from __future__ import annotations

from typing import Any

from isaaclab.envs import DirectRLEnvCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass

from refinery.action import ACTION_NAMES
from refinery.observation import OBSERVATION_SIZE
from refinery_sim_train.backends.isaaclab_cell import CellSceneCfg, simulation_cfg
from refinery_sim_train.backends.physics import SUBSTEPS
from refinery_sim_train.env.episodic import PRIVILEGED_SIZE
from refinery_sim_train.isaaclab_tasks import DEFAULT_TASK, cfg_name, task_ids
from refinery_sim_train.settings import read_task


@configclass
class InsertionEnvCfg(DirectRLEnvCfg):
    """An insertion task of ``config/tasks``; its period and the length of its episodes are the task's."""

    task: str = DEFAULT_TASK
    """Name in config/tasks or path of a task file."""
    reward_scale: float = 0.03
    """Scale of the rewards; it brings returns to the order of 1."""
    decimation: int = SUBSTEPS
    episode_length_s: float = 5.0
    action_space: int = len(ACTION_NAMES)
    observation_space: int = OBSERVATION_SIZE
    # What the critic observes: the policy's observations and the true state.
    state_space: int = OBSERVATION_SIZE + PRIVILEGED_SIZE
    sim: SimulationCfg = SimulationCfg()
    scene: CellSceneCfg = CellSceneCfg()

    def __post_init__(self) -> None:
        """Take the period and the length of an episode from the task."""
        self.adopt_task()

    def adopt_task(self) -> None:
        """Set what follows from the task, which may have been overridden since; the device stays."""
        task = read_task(self.task)
        self.sim = simulation_cfg(task, self.sim.device)
        self.episode_length_s = task.control.episode_s


def __getattr__(name: str) -> Any:
    """Return the configuration class of a task, by the name :func:`.cfg_name` gives it."""
    for task in task_ids().values():
        if name == cfg_name(task):
            namespace = {"__annotations__": {"task": str}, "task": task, "__module__": __name__, "__doc__": task}
            return configclass(type(name, (InsertionEnvCfg,), namespace))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
