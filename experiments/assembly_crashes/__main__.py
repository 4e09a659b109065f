"""``python -m experiments.assembly_crashes``: kill -9 of assembly node, policy node and client, and what followed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.assembly_crashes import paired
from experiments.assembly_crashes.disturbed import NODES, Disturber
from experiments.assembly_crashes.figures import figures
from experiments.assembly_crashes.witness import Witness
from experiments.results_file import campaign_origin, merge_results, read_results
from refinery.bringup.ros_start import choose_own_domain
from refinery.config import check
from refinery.robot_profile import load_robot_profile
from refinery.sequence.bundles import shipped_bundles
from refinery_evaluation.assembling.rig import assembly_rig
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.provenance import provenance

RESULTS = "results/assembly_crashes.json"
VICTIMS = (*NODES, "client")
"""What is killed."""


@dataclass(frozen=True, kw_only=True)
class Args:
    """Kill assembly node, policy node and client at random moments; goes on where an earlier run ended."""

    sequence: str = "block_key"
    """Name in config/sequences or path of a sequence file."""
    bundles: Path = field(default_factory=shipped_bundles)
    """Folder of its bundles."""
    kills: int = 50
    """Kills of each of the three, several in each assembly."""
    per_run: int = 5
    """Kills in one assembly."""
    between_s: float = 12.0
    """Longest time from when the run went on to the next kill, wall clock, uniform, [s]."""
    seed: int = 0
    """Of the cells and of the moments, 0 to 999."""
    cells: int = 20
    """Different cells, each also assembled undisturbed."""
    realtime_factor: float = 2.0
    """Speed of the twin."""
    work: Path = Path("runs/assembly_crashes")
    """Folder for logs and journal; what an earlier run left there is removed."""
    out: Path = Path(RESULTS)
    """The results file; it is written after every assembly."""

    def __post_init__(self) -> None:
        """Validate counts."""
        check(self.kills > 0 and self.per_run > 0, "kills", "1 or more, in runs of 1 or more", self.kills)
        check(self.cells > 0, "cells", "1 or more", self.cells)


def campaign(args: Args) -> None:
    """Run assemblies until there were enough kills of each."""
    setting = {"sequence": args.sequence, "seed": args.seed, "realtime_factor": args.realtime_factor}
    before = read_results(args.out)
    records: list[dict[str, Any]] = before["runs"] if before.get("setting") == setting else []
    shutil.rmtree(args.work, ignore_errors=True)
    choose_own_domain()
    factor, session = args.realtime_factor, len(records)
    with assembly_rig(args.sequence, args.bundles, args.work, realtime_factor=factor, seed=args.seed) as rig:
        disturber = Disturber(rig, Witness(rig.node, load_robot_profile("twin")), args.work)

        def assembled(victim: str, cell: int, count: int) -> None:
            number = len(records)
            rng = np.random.default_rng((args.seed, number))
            moments_s = rng.uniform(0.0, args.between_s, count).tolist()
            record = disturber.run(f"run_{session}_{number}", args.seed + cell, victim, moments_s)
            records.append(record)
            console.print(
                f"{number}: {victim}, {len(record['kills'])} kills, complete: {record['complete']}", markup=False
            )
            origin = campaign_origin(provenance(seed=args.seed, env_steps=0), "assembly-crashes")
            merge_results(args.out, {"setting": setting, "figures": figures(records), "runs": records} | origin)

        def calm(cell: int) -> None:
            if not any(record["seed"] == args.seed + cell and not record["victim"] for record in records):
                assembled("", cell, 0)

        while open_ := [victim for victim in VICTIMS if _killed(records, victim) < args.kills]:
            for victim in open_:
                cell = sum(record["victim"] == victim for record in records) % args.cells
                calm(cell)
                assembled(victim, cell, min(args.per_run, args.kills - _killed(records, victim)))
        for cell in range(args.cells):
            calm(cell)
    paired.compare(paired.Args(bundles=args.bundles, out=args.out))


def _killed(records: list[dict[str, Any]], victim: str) -> int:
    return sum(len(record["kills"]) for record in records if record["victim"] == victim)


if __name__ == "__main__":
    run(Args, campaign)
