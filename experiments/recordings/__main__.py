"""``python -m experiments.recordings``: kills recorders, records trials on the twin and replays them, fills a disk."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.recordings.kills import kill_recorders
from experiments.recordings.sittings import plan_sittings, run_sittings
from experiments.recordings.twin import fill_disk, record_trials, replay_all
from experiments.results_file import campaign_origin, merge_results, read_results
from refinery.errors import ConfigError
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.provenance import provenance

RESULTS = "results/evaluation.json"


@dataclass(frozen=True, kw_only=True)
class Args:
    """Check the recordings and write results/evaluation.json; what is not asked for stays as it was."""

    kills: int = 50
    """Recorders to kill at random moments; 0: none."""
    trials: int = 100
    """Trials on the twin to record and replay; 0: none."""
    bundle: Path | None = None
    """What runs on the twin, for trials, sittings and disk."""
    sittings: int = 0
    """Blocks of a blinded plan to run at one sitting, and in three of which one is killed; 0: none."""
    control: Path | None = None
    """Bundle that --bundle is compared with there; none: its own uniform starts against its sampled ones."""
    disk: Path | None = None
    """Folder on a file system of 20 MB or so, to be filled up during a trial (mount -t tmpfs -o size=20m)."""
    realtime_factor: float = 1.0
    """Speed of the twin."""
    seed: int = 0
    """Of the cells and of the moments, 0 to 999."""
    work: Path = Path("runs/recordings")
    """Folder for bags; what an earlier run left there is removed, unless it is to go on."""
    resume: bool = False
    """Go on with the trials and sittings of a run that was interrupted."""
    out: Path = Path(RESULTS)
    """The results file."""


def check_recordings(args: Args) -> None:
    """Run what was asked for and merge it into the results."""
    if (args.trials or args.sittings or args.disk is not None) and args.bundle is None:
        raise ConfigError("recordings", "bundle", "a bundle to run on the twin", "none", "`make demo` makes one")
    # A damaged file is found before the work, not after it.
    read_results(args.out)
    if args.kills:
        _write(args, "kills", kill_recorders(_empty(args.work / "kills"), args.kills, args.seed))
    if args.bundle is None:
        return
    if args.sittings:
        folder = _folder(args, "comparison")
        plan_sittings(folder, args.control, args.bundle, args.sittings, args.seed)
        _write(args, "sittings", run_sittings(folder, args.realtime_factor))
    if args.disk is not None:
        logs = _empty(args.work / "disk_logs")
        _write(args, "disk", fill_disk(args.bundle, args.disk, logs, args.seed, realtime_factor=args.realtime_factor))
    if args.trials:
        folder = _folder(args, "trials")
        records, said = record_trials(args.bundle, folder, args.trials, args.seed, realtime_factor=args.realtime_factor)
        ended = Counter(f"{record.outcome}, {record.guard}" for record in records)
        figures = {"trials": len(records), "ended": dict(ended), "recorder_complaints": len(said)}
        _write(args, "trials", figures | replay_all(folder, lambda line: console.print(line, markup=False)))


def _write(args: Args, part: str, figures: dict[str, Any]) -> None:
    """Print a part's figures and merge them into the results, with where they come from."""
    console.print(figures, markup=False)
    merge_results(args.out, {part: figures | campaign_origin(provenance(seed=args.seed, env_steps=0), "recordings")})


def _folder(args: Args, name: str) -> Path:
    """Return the folder of a campaign, emptied unless it is to go on."""
    folder = args.work / name
    return folder if args.resume and folder.is_dir() else _empty(folder)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    run(Args, check_recordings)
