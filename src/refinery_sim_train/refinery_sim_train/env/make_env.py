"""Build the environment of training and evaluation, with the simulated arm."""

from __future__ import annotations

import os

from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.task import Task
from refinery_sim_train.env.insertion_env import InsertionEnv


def make_env(task: Task, count: int, threads: int = 0) -> InsertionEnv:
    """Build the environment of a task with the simulated arm of the twin's profile."""
    profile = load_robot_profile(config_file("robots", "twin"))
    return InsertionEnv(
        task,
        kinematics=profile.arm_kinematics(),
        home_rad=profile.home_rad,
        count=count,
        threads=threads or len(os.sched_getaffinity(0)),
    )
