"""What the offline commands share: reading tasks, building environments, and one way to end with an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
import tyro

from refinery.config import load_dataclass
from refinery.errors import RefineryError
from refinery.paths import config_file, share_dir
from refinery.robot_profile import load_robot_profile
from refinery.task import Task, load_task
from refinery_sim_train.console import console
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.refine.config import RefineSpec

Args = TypeVar("Args")


def run(args_type: type[Args], main: Callable[[Args], None]) -> None:
    """Parse the command line into a dataclass and run; a Refinery error ends with one line and exit status 1."""
    args = tyro.cli(args_type)
    # One thread: the networks are small, and the physics has the cores.
    torch.set_num_threads(1)
    try:
        main(args)
    except RefineryError as error:
        console.print(f"error: {error}", style="bold red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("interrupted; finished stages are kept, --resume goes on from there")
        sys.exit(130)


def read_task(name: str) -> Task:
    """Read a task by name or path."""
    return load_task(config_file("tasks", name))


def read_preset(name: str) -> RefineSpec:
    """Read refinement settings by name or path."""
    return load_dataclass(config_file("refine", name), RefineSpec)


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


def shipped_base(task: Task) -> Path:
    """Path of the base policy shipped for a task."""
    return share_dir() / "policies" / task.name / "base.npz"
