"""Weights to be used with a task: those shipped for it, and whether they were trained with its control settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from refinery.errors import GainsError
from refinery.paths import share_dir
from refinery.task import Task
from refinery.trained_with import TrainedWith
from refinery_sim_train.console import console
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.settings import read_task


@dataclass(frozen=True, kw_only=True)
class GainsArgs:
    """Option of every command that uses a trained policy with a task."""

    accept_other_gains: bool = False
    """Use weights that were trained with other control settings than the task's; results record it."""


@dataclass(frozen=True, kw_only=True)
class WeightsArgs(GainsArgs):
    """Options of every command that uses weights with a task."""

    trained_with: str = ""
    """Task, by name or path, that the weights were trained with: for weights without a record of it."""


def shipped_base(task: Task) -> Path:
    """Path of the base policy shipped for a task."""
    return share_dir() / "policies" / task.name / "base.npz"


def own_base(task: Task) -> Path:
    """Path where ``train_base`` writes the base policy of a task unless told otherwise."""
    return Path("runs") / f"{task.name}_base" / "base.npz"


def base_of(task: Task) -> Path:
    """Path of the base policy of a task: the one shipped, or where there is none the one trained here."""
    shipped = shipped_base(task)
    return shipped if shipped.exists() else own_base(task)


def load_weights(file: Path, task: Task, args: WeightsArgs) -> Agent:
    """Read weights to be used with a task.

    Args:
        file: Weights of ``train_base``, ``refine`` or ``study``.
        task: The task.
        args: Options on control settings that differ.

    Returns:
        The agent, with the record of what it was trained with.

    Raises:
        ConfigError: The file is missing, damaged or for another observation or action.
        GainsError: They were trained with other settings than the task's and that was not accepted, or
            have no record of them.
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
