"""``python -m experiments.assembly_crashes``: kill -9 of the assembly node at random moments, and what became of it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.results_file import campaign_origin, merge_results, read_results
from refinery.bringup.ros_start import choose_own_domain
from refinery.sequence.bundles import shipped_bundles
from refinery_evaluation.assembling.rig import AssemblyRig, assembly_rig
from refinery_msgs.msg import Outcome, PartState
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.provenance import provenance

RESULTS = "results/assembly_crashes.json"


@dataclass(frozen=True, kw_only=True)
class Args:
    """Kill the assembly node at random moments and write results/assembly_crashes.json."""

    sequence: str = "block_key"
    """Name in config/sequences or path of a sequence file."""
    bundles: Path = field(default_factory=shipped_bundles)
    """Folder of its bundles."""
    kills: int = 50
    """Kills, one or more in each assembly."""
    per_run: int = 5
    """Kills in one assembly."""
    between_s: float = 12.0
    """Longest time from a start to the next kill, wall clock, uniform, [s]."""
    seed: int = 0
    """Of the cells and of the moments, 0 to 999."""
    realtime_factor: float = 2.0
    """Speed of the twin."""
    work: Path = Path("runs/assembly_crashes")
    """Folder for logs and journal; what an earlier run left there is removed."""
    out: Path = Path(RESULTS)
    """The results file."""


def campaign(args: Args) -> None:
    """Run assemblies until there were enough kills."""
    read_results(args.out)
    shutil.rmtree(args.work, ignore_errors=True)
    choose_own_domain()
    rng = np.random.default_rng(args.seed)
    figures = Counter[str]()
    factor = args.realtime_factor
    with assembly_rig(args.sequence, args.bundles, args.work, realtime_factor=factor, seed=args.seed) as rig:
        while figures["kills"] < args.kills:
            number = figures["assemblies"]
            rig.reset(args.seed + number)
            figures += _disturbed(rig, f"run_{number}", args, rng, min(args.per_run, args.kills - figures["kills"]))
            console.print(dict(figures), markup=False)
    figures["repeated"] = _repeated(args.work / "journal.sqlite3")
    content: dict[str, Any] = {"sequence": args.sequence, **figures}
    merge_results(args.out, content | campaign_origin(provenance(seed=args.seed, env_steps=0), "assembly-crashes"))


def _disturbed(rig: AssemblyRig, name: str, args: Args, rng: np.random.Generator, kills: int) -> Counter[str]:
    """Run one assembly, killing the node on the way; returns what is to be counted."""
    counted = Counter(assemblies=1)
    for _ in range(kills):
        end_s = time.monotonic() + float(rng.uniform(0.0, args.between_s))

        def due(end_s: float = end_s) -> bool:
            return time.monotonic() > end_s

        result = rig.assemble(name, args.seed, until=due)
        if result is not None and result.outcome.value == Outcome.SUCCESS:
            # It was finished before.
            break
        rig.kill()
        rig.start()
        counted["kills"] += 1
    result = rig.assemble(name, args.seed)
    assert result is not None
    truth = rig.truth().values()
    complete = result.outcome.value == Outcome.SUCCESS
    counted["complete"] += complete
    counted["said_complete_but_not_seated"] += complete and not all(part.seated for part in truth)
    # Neither in a tray, nor held, nor in its seat.
    counted["lost"] += sum(part.state == PartState.RELEASED and not part.seated for part in truth)
    if not complete:
        console.print(f"{name}: {result.outcome.message}", markup=False)
    return counted


def _repeated(journal: Path) -> int:
    """Count phases that ended more than once, which the journal refuses, and parts grasped in more than one attempt."""
    with sqlite3.connect(journal) as db:
        rows = db.execute("SELECT run, step, attempt, phase FROM events WHERE kind = 'result'").fetchall()
    twice = sum(count - 1 for count in Counter(rows).values())
    grasps = Counter((run, step) for run, step, _, phase in rows if phase == "grasp")
    return twice + sum(count - 1 for count in grasps.values())


if __name__ == "__main__":
    run(Args, campaign)
