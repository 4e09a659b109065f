"""``study``: refine every task with several seeds, beside controls at equal environment steps; hours, resumable."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.study.page import page
from experiments.study.plan import StudySpec, units
from experiments.study.plots import conditions, learning
from experiments.study.scheduler import run_units
from experiments.study.summary import CONDITIONS, summarise
from experiments.study.work import Places, stored
from refinery.config import load_dataclass
from refinery.errors import ConfigError, RefineryError
from refinery.paths import config_file
from refinery.storage import read_json, write_whole
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import WeightsArgs, load_weights, shipped_base

FULL = "full"
"""Settings of the committed study."""
HOME = Path("results/study")
"""Folder of its results."""


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Run the study, or what of it is not done yet, and write its results, tables and plots."""

    preset: str = FULL
    """Name in config/study or path: tasks, seeds, controls."""
    task: tuple[str, ...] = ()
    """Only these tasks of the preset; default: all."""
    seeds: int = 0
    """Only the first so many training seeds; 0: all."""
    out: Path = HOME
    """Folder of the units' results; what is there with the same settings is not run again, so another folder repeats
    the study from nothing."""
    scratch: Path | None = None
    """Folder of the runs; default: runs/study, or inside another --out."""
    workers: int = 2
    """Worker processes, one thread each."""
    report_only: bool = False
    """Run nothing; write the report from the results there are."""


def study(args: Args) -> None:
    """Run what is missing and write the report."""
    spec = load_dataclass(config_file("study", args.preset), StudySpec)
    unknown = sorted(set(args.task) - set(spec.tasks))
    if unknown:
        raise ConfigError("--task", "", f"tasks of the study: {', '.join(spec.tasks)}", ", ".join(unknown))
    if args.out == HOME and args.preset != FULL:
        raise ConfigError("--out", "", "another folder than the committed study's for another preset", str(args.out))
    # A repetition elsewhere must not find the runs of the study that it repeats.
    scratch = args.scratch or (Path("runs/study") if args.out == HOME else args.out / "scratch")
    places = Places(results=args.out, scratch=scratch)
    wanted = [u for u in units(spec) if u.task in (args.task or spec.tasks) and (not args.seeds or u.seed < args.seeds)]
    todo = [unit for unit in wanted if stored(spec, unit, places) is None]
    console.print(f"study: {len(wanted)} runs, {len(wanted) - len(todo)} done already, {args.workers} workers")
    if not args.report_only:
        for name in sorted({unit.task for unit in todo}):
            load_weights(shipped_base(read_task(name)), read_task(name), args)
        began = time.monotonic()
        # Not args itself: what __main__ defines cannot be sent to another process.
        weights = WeightsArgs(accept_other_gains=args.accept_other_gains, trained_with=args.trained_with)
        for done, (unit, record) in enumerate(run_units(spec, todo, places, weights, args.workers), start=1):
            left = (time.monotonic() - began) / done * (len(todo) - done) / 60
            shown = "  ".join(f"{name} {100 * record[name]['k'] / record[name]['n']:.1f}" for name in CONDITIONS)
            console.print(f"  {done:>3}/{len(todo)}  {unit.name:<24} {shown} %, about {left:.0f} min left")
    write_report(spec, places, args)


def write_report(spec: StudySpec, places: Places, args: Args) -> None:
    """Write ``study.json``, its tables and plots beside the folder of the units, from the units of today's settings.

    Raises:
        RefineryError: The report there is of more units than match today's settings; nothing was written.
    """
    found = {unit: record for unit in units(spec) if (record := stored(spec, unit, places)) is not None}
    out = places.results.parent / "study.json"
    before = read_json(out)["extent"]["runs"] if out.exists() else 0
    if len(found) < before:
        raise RefineryError(
            f"{out}: nothing written: it reports {before} runs, and only {len(found)} stored ones match today's "
            "settings, tasks, base policies and training; run the study again, or delete the file"
        )
    if not found:
        raise RefineryError(f"{places.results}: expected results of runs of today's settings, got none; run the study")
    options = ([] if args.preset == FULL else [f"--preset {args.preset}"]) + (
        [] if places.results == HOME else [f"--out {places.results}"]
    )
    words = " ".join(options)
    records = list(found.values())
    extent = {
        "runs": len(found),
        "wanted": len(units(spec)),
        "command": "make study" + (f' ARGS="{words}"' if words else ""),
        **{key: sorted({record[key] for record in records}) for key in ("machine", "git_revision", "date")},
        "with_uncommitted_changes": sum(bool(record["dirty"]) for record in records),
    }
    summary = {"extent": extent, **summarise(spec, found)}
    write_whole(out, json.dumps(summary, indent=1, allow_nan=False) + "\n")
    for name, plot in (("conditions", conditions), ("learning", learning)):
        write_whole(places.results / f"{name}.png", plot(summary))
    write_whole(out.with_suffix(".md"), page(summary, places.results.name))
    console.print(f"{len(found)} of {extent['wanted']} runs are in {out}, its plots and {out.with_suffix('.md')}")


def main() -> None:
    """Entry point."""
    run(Args, study)


if __name__ == "__main__":
    main()
