"""``make placement``: a thousand sampled initial states over all tasks, placed through MoveIt's interfaces on the twin.

Every state is drawn by the sampler from the task's whole deployment box or from a broad mixture in it, planned and
executed over the interfaces of MoveIt, and assessed from outside: by MuJoCo's kinematics and collision detection (the
planner uses pinocchio's and coal's), with everything at its true place. Ends with results/placement.json. What is done
is kept in a file as it goes, so that a campaign that is cut off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from experiments.placement.assessment import MOST_DEG, MOST_MM, Assessment, assess
from experiments.placement.placement_bench import Placed, running
from experiments.results_file import campaign_origin
from refinery.errors import StorageError
from refinery.paths import config_file
from refinery.storage import append_line, check_writable, replacing, resume_lines, write_whole
from refinery_sim_train.provenance import provenance

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results/placement.json"
MODES = ("uniform", "sample")
"""How initial states are drawn, in turn: from the whole box, and from the stand-in mixture in it."""
FIRST_SEED = 930_000
"""Cells of placements; no other stream of seeds uses these numbers."""
FACTOR = 3.0
"""Simulated seconds per second."""


def tasks() -> list[str]:
    """Return the names of all shipped tasks."""
    return sorted(file.stem for file in config_file("tasks", "peg_rect").parent.glob("*.yaml"))


def drawn(count: int, seed: int) -> Iterator[tuple[str, str, int]]:
    """Yield task, mode and seed of each placement, one task after the other."""
    names = tasks()
    for index, name in enumerate(names):
        for i in range(index, count, len(names)):
            yield name, MODES[i // len(names) % len(MODES)], FIRST_SEED + 10_000 * seed + i


class Campaign:
    """Runs placements and keeps their assessments.

    Args:
        count: Of placements.
        seed: Of everything that is drawn.
        factor: Pace of the twin, simulated seconds per second.
        log: File of the placements done, a line each.
    """

    def __init__(self, count: int, seed: int, factor: float, log: Path) -> None:
        self._factor, self._log = factor, log
        rows, damaged = resume_lines(log)
        if damaged:
            print(f"{log}: {damaged} damaged lines are left out: those placements are done again", flush=True)
        self.assessments = [Assessment(**row) for row in rows]
        done = {(assessment.task, assessment.seed) for assessment in self.assessments}
        self._count = count
        self._left = [each for each in drawn(count, seed) if (each[0], each[2]) not in done]

    def run(self) -> None:
        """Run what is left."""
        began_s, before = time.monotonic(), len(self.assessments)
        for name, group in groupby(self._left, key=lambda each: each[0]):
            with (
                tempfile.TemporaryDirectory(prefix="refinery-placement-") as folder,
                running(name, Path(folder), self._factor) as bench,
            ):
                for _, mode, seed in group:
                    placed = bench.place(mode, seed)
                    self._note(assess(bench.task, mode, seed, placed), placed)
                    self._print_progress(name, (time.monotonic() - began_s) / (len(self.assessments) - before))

    def _print_progress(self, name: str, pace_s: float) -> None:
        done = len(self.assessments)
        if done % 20 == 0 or done == self._count:
            unsound = sum(not assessment.sound for assessment in self.assessments)
            print(f"{done} of {self._count}, {name}: {unsound} unsound, {pace_s:.1f} s each", flush=True)

    def _note(self, assessment: Assessment, placed: Placed) -> None:
        self.assessments.append(assessment)
        append_line(self._log, json.dumps(assessment.to_json()))
        if not assessment.sound:
            # To look at later: how the arm moved.
            file = self._log.with_name(f"{self._log.stem}-{assessment.task}-{assessment.seed}.npz")
            with replacing(file) as out:
                np.savez(out, joints_rad=placed.joints_rad, theta=np.array(placed.result.theta), grasp=placed.grasp)
            print(f"UNSOUND: {json.dumps(assessment.to_json())}", flush=True)

    def results(self) -> dict[str, Any]:
        """Return the contents of results/placement.json, but for their provenance."""
        names = tasks()
        return _summary(self.assessments) | {
            "promise": {"error_mm": MOST_MM, "error_deg": MOST_DEG},
            "tasks": {name: _summary([v for v in self.assessments if v.task == name]) for name in names},
            "unsound_placements": [assessment.to_json() for assessment in self.assessments if not assessment.sound],
        }


def _summary(assessments: list[Assessment]) -> dict[str, Any]:
    errors_mm = [assessment.error_mm for assessment in assessments if assessment.error_mm is not None]
    errors_deg = [assessment.error_deg for assessment in assessments if assessment.error_deg is not None]
    return {
        "placements": len(assessments),
        "outcomes": dict(sorted(Counter(assessment.outcome for assessment in assessments).items())),
        "in_collision": sum(bool(assessment.contacts) or assessment.part_force_n > 0 for assessment in assessments),
        "unsound": sum(not assessment.sound for assessment in assessments),
        "another_sample_taken": sum(assessment.another_sample_taken for assessment in assessments),
        "error_mm": _spread(errors_mm),
        "error_deg": _spread(errors_deg),
        "beyond_mm": _spread([assessment.beyond_mm for assessment in assessments if assessment.outcome == "placed"]),
        "states_looked_at": sum(assessment.states for assessment in assessments),
    }


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        "median": round(float(np.median(values)), 4),
        "p99": round(float(np.percentile(values, 99)), 4),
        "max": round(max(values), 4),
    }


def main() -> int:
    """Run a campaign; the exit status is 1 if a placement was not sound."""
    parser = argparse.ArgumentParser(prog="make placement", description="Place sampled initial states on the twin.")
    parser.add_argument("--count", type=int, default=1000, help="placements over all tasks, at least 1")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn, at least 0")
    parser.add_argument("--factor", type=float, default=FACTOR, help="simulated seconds per second")
    parser.add_argument("--log", type=Path, help="file that keeps what is done; default: below runs/placement")
    parser.add_argument("--out", type=Path, default=RESULTS, help="results file, relative to the repository")
    args = parser.parse_args()
    if args.count < 1 or args.seed < 0:
        parser.error(f"expected a count >= 1 and a seed >= 0, got {args.count} and {args.seed}")
    # SIGTERM must end the nodes as well.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    facts = provenance(seed=args.seed, env_steps=0)
    log = args.log or ROOT / f"runs/placement/{facts['git_revision'][:10]}-{args.count}-{args.seed}.jsonl"
    out = ROOT / args.out
    try:
        check_writable(log.parent)
        check_writable(out.parent)
    except StorageError as error:
        parser.error(str(error))
    campaign = Campaign(args.count, args.seed, args.factor, log)
    print(f"{args.count} placements, {len(campaign.assessments)} of them done before ({log})", flush=True)
    campaign.run()
    results = campaign.results() | campaign_origin(facts, "placement")
    write_whole(out, json.dumps(results, indent=2) + "\n")
    print(f"wrote {out}")
    print(f"{results['placements']} placements: {results['outcomes']}, {results['in_collision']} in collision")
    return 1 if results["unsound"] else 0


if __name__ == "__main__":
    sys.exit(main())
