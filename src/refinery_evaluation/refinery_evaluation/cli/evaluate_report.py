"""``refinery evaluate report``: one page and a JSON file of what an evaluation came to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from refinery.bundled_task import load_bundled_task
from refinery.storage import write_whole
from refinery_evaluation.report.evaluation import evaluation_page, headline
from refinery_evaluation.trials.design import load_design
from refinery_evaluation.trials.figures import collect
from refinery_evaluation.trials.journal import Journal


@dataclass(frozen=True, kw_only=True)
class Args:
    """Write report.html and report.json beside the plan."""

    plan: Path
    """Folder that `refinery evaluate plan` made."""
    unblind: bool = False
    """Uncover the codes. That is noted, and no more trials are run by this plan."""


def main(argv: Sequence[str]) -> int:
    """Write the report.

    Args:
        argv: Words after ``refinery evaluate report``.

    Raises:
        RefineryError: There is no plan, or it was changed.
    """
    args = tyro.cli(Args, args=list(argv), prog="refinery evaluate report")
    design, key = load_design(args.plan)
    with contextlib.closing(Journal(args.plan, design.hash())) as journal:
        if args.unblind:
            journal.unblind()
        unblinded, sittings = journal.unblinded, journal.sittings
        done, interrupted = journal.done(design.trials), journal.interrupted()
    figures = collect(design, key, done, interrupted, uncovered=bool(unblinded))
    task = load_bundled_task(Path(next(iter(key.conditions.values())).bundle))
    page = evaluation_page(figures, task, key, unblinded=unblinded, sittings=sittings)
    write_whole(args.plan / "report.html", page)
    plain = figures.to_json() | {"unblinded": unblinded, "sittings": sittings}
    write_whole(args.plan / "report.json", json.dumps(plain, indent=2) + "\n")
    for name, rate in figures.rates.items():
        print(f"{name}: {rate}")
    print(f"{headline(figures)}\nreport: {args.plan / 'report.html'}   figures: {args.plan / 'report.json'}")
    return 0
