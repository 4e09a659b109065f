"""What the offline commands share: reading tasks, building environments, and one way to end with an error."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import torch
import tyro

from refinery.config import load_dataclass
from refinery.errors import GainsError, RefineryError, StorageError
from refinery.paths import config_file, share_dir
from refinery.robot_profile import load_robot_profile
from refinery.storage import about_storage, storage_error
from refinery.task import Task, load_task
from refinery.trained_with import TrainedWith
from refinery_sim_train.console import console
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.config import RefineSpec

Args = TypeVar("Args")
_PLACES = ("out", "json_out", "scratch")


@dataclass(frozen=True, kw_only=True)
class WeightsArgs:
    """Options of every command that uses weights with a task."""

    accept_other_gains: bool = False
    """Use weights that were trained with other control settings than the task's; what comes of it says so."""
    trained_with: str = ""
    """Task, by name or path, that the weights were trained with: for weights that do not say so themselves."""


def run(args_type: type[Args], main: Callable[[Args], None]) -> None:
    """Parse the command line into a dataclass and run.

    A Refinery error, or a file that cannot be read or written, ends with one line and exit status 1.
    """
    args = tyro.cli(args_type)
    # One thread: the networks are small, and the physics has the cores.
    torch.set_num_threads(1)
    try:
        main(args)
    except RefineryError as error:
        _fail(error, args_type)
    except OSError as error:
        if about_storage(error):
            _fail(storage_error(error.filename or "a file", error), args_type)
        if not error.filename:
            raise
        _fail(RefineryError(f"{error.filename}: {error.strerror}"), args_type)
    except KeyboardInterrupt:
        console.print("interrupted; finished stages are kept, --resume goes on from there")
        sys.exit(130)


def _fail(error: RefineryError, args_type: type[Any]) -> NoReturn:
    """End with one line; where no file can be written, it says which option names another place."""
    places = [f"--{item.name.replace('_', '-')}" for item in dataclasses.fields(args_type) if item.name in _PLACES]
    elsewhere = f" ({' or '.join(places)})" if isinstance(error, StorageError) and places else ""
    console.print(f"error: {error}{elsewhere}", style="bold red", markup=False)
    sys.exit(1)


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


def load_weights(file: Path, task: Task, args: WeightsArgs) -> Agent:
    """Read weights to be used with a task.

    Args:
        file: Weights of ``train_base``, ``refine`` or ``study``.
        task: The task.
        args: What of other control settings was accepted.

    Returns:
        The agent, with the record of what it was trained with.

    Raises:
        ConfigError: The file is missing, damaged or for another observation or action.
        GainsError: They were trained with other settings than the task's and that was not accepted, or do not say.
    """
    agent = Agent.load(file)
    if args.trained_with:
        named = TrainedWith.of(read_task(args.trained_with))
        known = agent.trained_with
        if known is not None and (wrong := known.differences(named.control)):
            raise GainsError(f"{file}: --trained-with {args.trained_with} is not what it says: {'; '.join(wrong)}")
        agent.trained_with = known or named
    if agent.trained_with is None:
        raise GainsError(
            f"{file}: expected the control settings it was trained with, got nothing: it is from before they were "
            "recorded; name the task it was trained with, --trained-with <name or file>, and add --accept-other-gains "
            "if that one's settings are not this task's"
        )
    others = agent.trained_with.differences(task.control)
    if others and not args.accept_other_gains:
        raise GainsError(
            f"{file} for task {task.name}: {'; '.join(others)}; take the settings back, or accept them with "
            "--accept-other-gains: success will differ, and fine-tuning (refine) is what gets it back"
        )
    if others:
        console.print(f"{file}: {'; '.join(others)}: accepted", style="yellow", markup=False)
    return agent
