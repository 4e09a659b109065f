"""One blinded plan run twice on the twin: at one sitting, and in three of which one is killed."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from refinery.errors import RefineryError
from refinery.statistics import PairedComparison, Rate
from refinery_evaluation.trials.design import (
    KEY,
    PLAN,
    Design,
    Key,
    draw_design,
    load_design,
    named_conditions,
    save_design,
)
from refinery_evaluation.trials.journal import DoneTrial, Journal
from refinery_evaluation.trials.session import paired

RUNS = ("whole", "sittings")
"""Folders of the two runs: without and with interruptions."""
_POLL_S = 0.1


def plan_sittings(folder: Path, control: Path | None, bundle: Path, blocks: int, seed: int) -> None:
    """Draw a plan of two conditions and put it into the folder of each run, where there is none yet.

    Args:
        folder: Gets a folder for each run.
        control: Bundle of the control; none: ``bundle`` from uniform starts, against its sampled ones.
        bundle: Bundle that is compared.
        blocks: Blocks of the plan.
        seed: Of order and cells.
    """
    whole = folder / RUNS[0]
    if not (whole / PLAN).exists():
        names = ("bundle", "bundle+sampled") if control is None else ("control", "bundle")
        conditions = named_conditions(names, {"control": control or bundle, "bundle": bundle})
        design, key = draw_design(
            conditions, blocks=blocks, seed=seed, stopping="fixed", from_percent=90.0, detect_points=5.0
        )
        save_design(whole, design, key)
    interrupted = folder / RUNS[1]
    interrupted.mkdir(exist_ok=True)
    for file in (KEY, PLAN):
        shutil.copy(whole / file, interrupted / file)


def run_sittings(folder: Path, realtime_factor: float) -> dict[str, Any]:
    """Run both to their ends, or on from where they stand.

    Args:
        folder: As given to :func:`plan_sittings`.
        realtime_factor: Speed of the twin.

    Returns:
        Per run its rates, comparison and attempts, and which trials ended otherwise in the other run.
    """
    whole, interrupted = (folder / name for name in RUNS)
    _sit(whole, realtime_factor)
    _sit_and_be_killed(interrupted, realtime_factor)
    design, key = load_design(whole)
    done = {name: _done(folder / name, design) for name in RUNS}
    return {
        "blocks": len(design.order),
        "runs": {name: _figures(folder / name, design, key, done[name]) for name in RUNS},
        "ended_otherwise": differing(*done.values()),
        "same_start": sum(a.record.theta == b.record.theta for a, b in zip(*done.values(), strict=True)),
    }


def _sit_and_be_killed(folder: Path, realtime_factor: float) -> None:
    """Three sittings: to a third of the blocks, to a kill -9 in the middle of a trial, to the end."""
    design, _ = load_design(folder)
    first = len(design.order) // 3
    with contextlib.closing(Journal(folder, design.hash())) as journal:
        done = len(journal.done(design.trials))
        if done < first * len(design.codes):
            _sit(folder, realtime_factor, "--blocks", str(first))
        if not journal.interrupted():
            victim = 2 * first * len(design.codes) + 1
            sitting = _started(folder, realtime_factor)
            while victim not in journal.interrupted():
                if sitting.poll() is not None:
                    raise RefineryError(f"{folder}: the sitting ended with {sitting.returncode} before trial {victim}")
                time.sleep(_POLL_S)
            seconds = [trial.seconds for trial in journal.done(design.trials)]
            time.sleep(sum(seconds) / len(seconds) / 2)
            sitting.kill()
            sitting.wait()
    _sit(folder, realtime_factor)


def _sit(folder: Path, realtime_factor: float, *words: str) -> None:
    """Run a sitting as a user would, to its end; none where no trial is left."""
    design, _ = load_design(folder)
    if len(_done(folder, design)) == len(design.trials):
        return
    sitting = _started(folder, realtime_factor, *words)
    if sitting.wait():
        raise RefineryError(f"{folder}: a sitting ended with {sitting.returncode}; its words are above")


def _started(folder: Path, realtime_factor: float, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "refinery.cli.main", "evaluate", "run", "--plan", str(folder)]
    return subprocess.Popen([*command, "--realtime-factor", str(realtime_factor), *words])


def _done(folder: Path, design: Design) -> list[DoneTrial]:
    with contextlib.closing(Journal(folder, design.hash())) as journal:
        return journal.done(design.trials)


def _figures(folder: Path, design: Design, key: Key, done: Sequence[DoneTrial]) -> dict[str, Any]:
    with contextlib.closing(Journal(folder, design.hash())) as journal:
        interrupted, sittings = journal.interrupted(), len(journal.sittings)
    (other,) = key.others
    pairs = PairedComparison.of(*paired(design, done, key.control, other))
    rates = {
        key.conditions[code].name: Rate.of([trial.success for trial in done if trial.planned.code == code]).to_json()
        for code in (key.control, other)
    }
    return {
        "trials": len(done),
        "sittings": sittings,
        "interrupted_attempts": sum(interrupted.values()),
        "success": rates,
        "difference_points": round(100 * pairs.difference, 1),
        "interval_points": [round(100 * end, 1) for end in pairs.interval],
        "mcnemar_p": round(pairs.p_value, 3),
        "seconds_a_trial": round(sum(trial.seconds for trial in done) / len(done), 1),
    }


def differing(one: Sequence[DoneTrial], other: Sequence[DoneTrial]) -> list[dict[str, Any]]:
    """Trials whose outcome is not the same in two runs of one plan."""
    return [
        {
            "trial": a.planned.number + 1,
            "code": a.planned.code,
            "ended": [f"{trial.record.outcome}, {trial.record.guard}" for trial in (a, b)],
            "reason": [trial.record.reason for trial in (a, b) if not trial.success],
            "depth_mm": [round(trial.record.depth_mm, 2) for trial in (a, b)],
        }
        for a, b in zip(one, other, strict=True)
        if a.success != b.success
    ]
