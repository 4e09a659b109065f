"""``refinery report``: the demo's page for a finished run, without refining again."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from refinery.config import check
from refinery.storage import check_writable
from refinery_evaluation.report.cell_picture import cell_picture
from refinery_evaluation.report.html import write_page
from refinery_evaluation.report.of_run import BUNDLE, data_of_run
from refinery_evaluation.report.summary import one_screen
from refinery_evaluation.trials.on_twin import trials_on_twin
from refinery_evaluation.trials.records import read_trials
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage


@dataclass(frozen=True, kw_only=True)
class Args:
    """Write the page of a run of refine or export: figures, maps, calibration, and trials if there are any."""

    run: Path
    """Folder of the run, such as runs/peg_rect_quick_0."""
    trials: int = 0
    """Run so many trials of each kind of start on a twin of its own first; 0: none."""
    records: Path | None = None
    """Trials that were run before: a file of `refinery trial --out`."""
    seed: int = 0
    """Seed of the trials."""
    realtime_factor: float = 2.0
    """Speed of the twin; 1 is real time."""
    out: Path | None = None
    """Page to write; default report.html in the run's folder."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.trials >= 0, "trials", "a number >= 0", self.trials)


def write_report(args: Args) -> Path:
    """Collect, run trials if asked for, and write; returns the page."""
    page = args.out or args.run / "report.html"
    check_writable(page.parent)
    began = time.monotonic()
    with stage("read the run, fit the base's success model"):
        data = data_of_run(args.run)
    bundle, seconds = args.run / BUNDLE, {}
    found = [] if args.records is None else read_trials(args.records, bundle)
    if args.trials:
        before = time.monotonic()
        logs = args.run / "logs"
        found += trials_on_twin(bundle, args.trials, args.seed, realtime_factor=args.realtime_factor, logs=logs)
        seconds["trials"] = time.monotonic() - before
    picture, note = cell_picture(data.task, page.parent)
    seconds["report"] = time.monotonic() - began - sum(seconds.values())
    data = replace(data, trials=tuple(found), cell_picture_png=picture, cell_picture_note=note, seconds=seconds)
    write_page(page, data)
    console.print(one_screen(data), markup=False)
    console.print(f"report: {page}")
    return page


def _command(args: Args) -> None:
    write_report(args)


def main() -> None:
    """Entry point."""
    run(Args, _command)
