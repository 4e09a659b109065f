"""Options of the commands that step a simulator."""

from __future__ import annotations

from dataclasses import dataclass

from refinery.task import Task
from refinery_sim_train.backends.physics import Simulator
from refinery_sim_train.backends.registry import simulator
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.env.make_env import make_env


@dataclass(frozen=True, kw_only=True)
class SimulatorArgs:
    """Which simulator, and where it runs."""

    backend: str = "mujoco"
    """Simulator: mujoco, warp (MuJoCo-Warp, thousands of environments on a GPU) or isaaclab (in its environment)."""
    device: str = "cpu"
    """Device of the physics: cpu, or cuda:0, cuda:1, ... where the backend runs on a GPU."""

    @property
    def simulator(self) -> Simulator:
        """What was asked for.

        Raises:
            ConfigError: There is no such backend, it is not installed, or it never runs on such a device.
        """
        return simulator(self.backend, self.device)

    def make_env(self, task: Task, count: int) -> InsertionEnv:
        """Build the environment of a task.

        Args:
            task: The insertion task.
            count: Number of environments.

        Raises:
            ConfigError: There is no such backend, it is not installed, or it cannot run on the device.
        """
        return make_env(task, count, backend=self.backend, device=self.device)
