"""Build the environment of training and evaluation, with the simulated arm."""

from __future__ import annotations

from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.task import Task
from refinery_sim_train.backends.registry import make_physics
from refinery_sim_train.env.insertion_env import InsertionEnv


def make_env(task: Task, count: int, threads: int = 0, *, backend: str = "mujoco", device: str = "cpu") -> InsertionEnv:
    """Build the environment of a task with the simulated arm of the twin's profile.

    Args:
        task: The insertion task.
        count: Number of environments.
        threads: Threads of physics that run on the CPU's cores; 0 means one per core.
        backend: Simulator, one of :data:`refinery_sim_train.backends.registry.BACKENDS`.
        device: Device of the physics, ``cpu`` or ``cuda:<index>``.

    Raises:
        ConfigError: There is no such backend, it is not installed, or it cannot run on the device.
    """
    profile = load_robot_profile(config_file("robots", "twin"))
    physics = make_physics(task, count, backend=backend, device=device, threads=threads)
    return InsertionEnv(task, physics, kinematics=profile.arm_kinematics(), home_rad=profile.home_rad)
