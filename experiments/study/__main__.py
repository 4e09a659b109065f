"""``study``: base, controls and refinement on every task at equal environment steps; hours, resumable."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.study.plan import StudySpec, Unit, identity, unit_identity, units
from experiments.study.records import Records
from experiments.study.report import FULL, write_report
from experiments.study.scheduler import run_units
from refinery.config import load_dataclass
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import WeightsArgs, load_weights, shipped_base

HOME = Path("results/study")
"""Folder of the committed results."""


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Run the study, or what of it is not done yet, and write its results and pages."""

    preset: str = FULL
    """Name in config/study or path: tasks, seeds, lengths in environment steps, episodes."""
    task: tuple[str, ...] = ()
    """Only these tasks of the preset; default: all."""
    seeds: int = 0
    """Only the first so many training seeds; 0: all."""
    out: Path = HOME
    """Folder of the units' results. What is there with the same settings is not run again, so another folder repeats
    the study from nothing."""
    scratch: Path | None = None
    """Folder for weights, TensorBoard and unfinished units; default: runs/study, or inside another --out."""
    workers: int = 2
    """Worker processes, one thread each."""
    report_only: bool = False
    """Run nothing; write the report from the results there are."""


def study(args: Args) -> None:
    """Run what is missing and write the report."""
    spec = load_dataclass(config_file("study", args.preset), StudySpec)
    tasks = args.task or spec.tasks
    unknown = sorted(set(tasks) - set(spec.tasks))
    if unknown:
        raise ConfigError("--task", "", f"tasks of the study: {', '.join(spec.tasks)}", ", ".join(unknown))
    if args.out == HOME and args.preset != FULL:
        raise ConfigError("--out", "", "another folder than the committed study's for another preset", str(args.out))
    records = Records(args.out)
    wanted = [unit for unit in units(spec) if unit.task in tasks and (not args.seeds or unit.seed < args.seeds)]
    marks = {name: identity(spec, task, shipped_base(task)) for name in tasks for task in (read_task(name),)}
    todo = [unit for unit in wanted if not records.done(unit, unit_identity(marks[unit.task], spec, unit))]
    console.print(f"study: {len(wanted)} units, {len(wanted) - len(todo)} done already, {args.workers} workers")
    if not args.report_only:
        for name in sorted({unit.task for unit in todo}):
            load_weights(shipped_base(read_task(name)), read_task(name), args)
        _run(spec, todo, args)
    write_report(spec, tasks, records, marks, args.out.parent, console.print, args.preset)


def _run(spec: StudySpec, todo: list[Unit], args: Args) -> None:
    began, done = time.monotonic(), 0

    def finished(unit: Unit, record: dict[str, Any]) -> None:
        nonlocal done
        done += 1
        left = (time.monotonic() - began) / done * (len(todo) - done) / 60
        test = record.get("test")
        shown = f"{100 * test['k'] / test['n']:.1f} %" if isinstance(test, dict) and "k" in test else ""
        console.print(
            f"  {done:>4}/{len(todo)}  {unit.task:<14} {unit.name:<28} {record['seconds']:6.0f} s  {shown:<8} "
            f"about {left:.0f} min left"
        )

    # A repetition elsewhere must not find the weights of the study that it repeats.
    scratch = args.scratch or (Path("runs/study") if args.out == HOME else args.out / "scratch")
    run_units(spec, todo, args.out, scratch, args.workers, finished, args)


def main() -> None:
    """Entry point."""
    run(Args, study)


if __name__ == "__main__":
    main()
