"""``refinery check``: all mistakes of a task file at once, what it amounts to on a robot, and a drawing of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from refinery.errors import RefineryError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.storage import write_whole
from refinery_sim.authoring.drawing import draw
from refinery_sim.authoring.examination import Examination, examine


@dataclass(frozen=True, kw_only=True)
class Args:
    """Find all mistakes of a task file at once, without training anything."""

    task: Annotated[str, tyro.conf.Positional]
    """Task file, or a name in config/tasks."""
    robot: str = "fr3"
    """Profile in config/robots or a path to one: reach, joint limits, stiffness and forces are checked against it."""
    drawing: Path | None = None
    """Where the drawing of section, plate, grasp and boxes goes (.svg); default runs/check/<task>.svg."""


def main() -> None:
    """Entry point."""
    sys.exit(check_task(tyro.cli(Args, prog="refinery check")))


def check_task(args: Args) -> int:
    """Examine, draw and print.

    Returns:
        0 if the task can be used, 1 if it has mistakes, 2 if it cannot be read.
    """
    try:
        file, profile = config_file("tasks", args.task), load_robot_profile(args.robot)
        found = examine(file, profile)
        drawn = _drawn(args, file, found)
    except RefineryError as error:
        print(f"refinery check: {error}", file=sys.stderr)
        return 2
    for name, value in found.facts:
        print(f"{name:<12} {value}")
    for note in found.notes:
        print(f"note: {note}")
    if drawn:
        print(f"drawing      {drawn}")
    problems = [*map(str, found.mistakes), *(f"{file} on {profile.name}: {misfit}" for misfit in found.misfits)]
    for problem in problems:
        print(f"mistake: {problem}", file=sys.stderr)
    if problems:
        print(f"{len(problems)} mistake{'s' if len(problems) > 1 else ''} in {file}", file=sys.stderr)
        return 1
    assert found.task is not None
    print(f"{file}: {found.task.name} can be trained for and run on {profile.name}")
    return 0


def _drawn(args: Args, file: Path, found: Examination) -> Path | None:
    """Draw what can be drawn: nothing without a section."""
    if found.task is None or any(mistake.key.startswith("plug") for mistake in found.mistakes):
        return None
    path = args.drawing or Path("runs") / "check" / f"{file.stem}.svg"
    write_whole(path, draw(found.task))
    return path
