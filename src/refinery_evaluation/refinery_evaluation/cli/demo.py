"""``demo``: the whole pipeline in about ten minutes: refine, export, nodes up on the twin, 20 + 20 trials, report."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from refinery.storage import check_writable, read_lines, write_whole
from refinery_evaluation.report import data as report_data
from refinery_evaluation.report.cell_picture import cell_picture
from refinery_evaluation.report.html import write_page
from refinery_evaluation.report.plots import success_map
from refinery_evaluation.report.results import demo_json
from refinery_evaluation.report.summary import one_screen
from refinery_evaluation.trials.on_twin import trials_on_twin
from refinery_sim_train.cli.refine import Args as RefineArgs
from refinery_sim_train.cli.refine import refine
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.fine_tune import LEARNING
from refinery_sim_train.refine.loop import RefineResult
from refinery_sim_train.weights import WeightsArgs


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Refine one task, run it through the ROS nodes on the twin, and write a report."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    preset: str = "quick"
    """Name in config/refine or path."""
    trials: int = 20
    """Trials of each kind of start, 1 to 1000."""
    seed: int = 0
    """Seed of everything, 0 to 9999."""
    realtime_factor: float = 2.0
    """Speed of the twin; 1 is real time. More needs more processor."""
    out: Path = Path("demo")
    """Folder for the report; an earlier demo there is replaced."""


def demo(args: Args) -> None:
    """Run the demonstration."""
    began = time.monotonic()
    _clear(args.out)
    console.print("1. refine", style="bold")
    result = refine(
        RefineArgs(
            task=args.task,
            preset=args.preset,
            seed=args.seed,
            out=args.out / "run",
            accept_other_gains=args.accept_other_gains,
            trained_with=args.trained_with,
        )
    )
    refined_at = time.monotonic()
    console.print("2. sample, place and insert through the ROS nodes on the twin", style="bold")
    trials = trials_on_twin(
        result.bundle,
        args.trials,
        args.seed,
        realtime_factor=args.realtime_factor,
        logs=args.out / "logs",
        task=args.task,
    )
    tried_at = time.monotonic()
    console.print("3. report", style="bold")
    data = _collect(args, result, trials, {"refine": refined_at - began, "trials": tried_at - refined_at})
    page, figures = args.out / "report.html", args.out / "demo.json"
    write_page(page, data)
    drawn = success_map(data)
    if drawn is not None:
        write_whole(args.out / "success_map.png", drawn)
    write_whole(figures, json.dumps(demo_json(data), indent=2) + "\n")
    console.print(one_screen(data), markup=False)
    console.print(f"report: {page}   figures: {figures}   total {time.monotonic() - began:.0f} s")


def _clear(out: Path) -> None:
    """Remove what an earlier demo left, and nothing else."""
    for name in ("run", "logs"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("report.html", "demo.json", "cell.png", "success_map.png"):
        (out / name).unlink(missing_ok=True)
    check_writable(out)


def _collect(
    args: Args, result: RefineResult, trials: list[report_data.TrialRecord], seconds: dict[str, float]
) -> report_data.DemoData:
    """Put everything the report shows together."""
    picture, note = cell_picture(result.task, args.out)
    rows, _ = read_lines(args.out / "run" / "fine_tuning" / LEARNING)
    return report_data.DemoData(
        task=result.task,
        base_theta=result.base.theta,
        base_strict=result.base.strict,
        refined_theta=result.refined.theta,
        refined_strict=result.refined.strict,
        base_model=result.base_model,
        final_model=result.final_model,
        mixture=result.mixture,
        structure_bits=result.structure_bits,
        env_steps=result.env_steps,
        p_value=result.p_value,
        learning=rows,
        trials=tuple(trials),
        cell_picture_png=picture,
        cell_picture_note=note,
        seconds=seconds,
        provenance=provenance(seed=args.seed, env_steps=result.env_steps),
        seed=args.seed,
        start_strict=None if result.start is result.base else result.start.strict,
        clipped=None if result.clipped is None else result.clipped.rate,
        started=result.started.rate,
    )


def main() -> None:
    """Entry point."""
    run(Args, demo)
