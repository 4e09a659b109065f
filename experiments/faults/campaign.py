"""``make faults``: hundreds of faults at random moments of insertions on the twin, faster than real time.

Ends with results/faults.json and, where every case was observed, docs/faults.md. The exit status is 1 if anything
unsafe happened: commanded force over the task's bound, a target outside the workspace box, motion after a stop, a stop
that is not latched, a process left over.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.faults import processes, table
from experiments.faults.drawing import Drawn, draw
from experiments.faults.expectations import CASES, PROCESS, mismatch, rearmed_too_early
from experiments.faults.fault_bench import running
from experiments.faults.injecting import Injector, NotBegunError
from experiments.faults.observation import Observation
from experiments.results_file import campaign_origin
from refinery.errors import StorageError
from refinery.storage import check_writable, write_whole
from refinery.tick import compiled
from refinery_sim_train.provenance import provenance

FACTOR = 2.0
"""Simulated seconds per second."""
BENCH_INJECTIONS = 100
"""After so many injections the nodes are ended, looked for, and started anew."""
_BY_BENCH = {case.kind for case in PROCESS}


class Campaign:
    """Runs drawn injections and keeps the observations.

    Args:
        drawn: The injections.
        factor: Pace of the twin, simulated seconds per second.
    """

    def __init__(self, drawn: Sequence[Drawn], factor: float) -> None:
        self.drawn, self.factor = drawn, factor
        self.seen: list[tuple[Drawn, Observation]] = []
        self.unexpected: list[str] = []
        self.again: list[Drawn] = []
        self.wasted = self.leftover = 0
        self._began_s = time.monotonic()

    def run(self) -> None:
        """Run them all, on one bench after the other; a bench that fails is replaced."""
        with tempfile.TemporaryDirectory(prefix="refinery-faults-") as folder:
            number = 0
            while len(self.seen) < len(self.drawn):
                number += 1
                place = Path(folder) / str(number)
                place.mkdir()
                first = len(self.seen)
                self._on_a_bench(place, self.drawn[first : first + BENCH_INJECTIONS])

    def _on_a_bench(self, place: Path, drawn: Sequence[Drawn]) -> None:
        with running(place, self.factor) as (bench, client):
            injector = Injector(bench, client)
            for item in drawn:
                try:
                    seen = self._inject(injector, item)
                except NotBegunError as error:
                    self.again.append(item)
                    print(f"again, on a new bench: {str(error).splitlines()[0]}", flush=True)
                    break
                self.seen.append((item, seen))
                self._print_progress(seen)
                if "failed" in seen.reaction:
                    break
            self.wasted += injector.wasted
            self.leftover += bench.close()

    def _inject(self, injector: Injector, item: Drawn) -> Observation:
        injection = item.injection
        try:
            seen = processes.inject(injector, injection) if injection.kind in _BY_BENCH else injector.run(injection)
        except AssertionError as error:
            # A hiccup of the machine, unless it comes again on a new bench: then something is wrong.
            if isinstance(error, NotBegunError) and item not in self.again:
                raise
            seen = injector.blank(injection)
            seen.reaction, seen.unsafe = "failed", [str(error)[:2000]]
            return seen
        if item.case is not None:
            seen.not_latched = seen.not_latched or rearmed_too_early(item.case, seen)
            if problem := mismatch(item.case, seen):
                self.unexpected.append(f"{item.case.name}: {problem}")
        return seen

    def _print_progress(self, seen: Observation) -> None:
        done = len(self.seen)
        if seen.unsafe or seen.not_latched:
            print(f"UNSAFE: {json.dumps(seen.to_json())}", flush=True)
        if done % 10 == 0 or done == len(self.drawn):
            unsafe = sum(bool(s.unsafe or s.not_latched) for _, s in self.seen)
            pace = (time.monotonic() - self._began_s) / done
            print(f"{done} of {len(self.drawn)} injections, {unsafe} unsafe, {pace:.1f} s each", flush=True)

    def results(self) -> dict[str, Any]:
        """Return the contents of results/faults.json, but for their provenance."""
        all_seen = [seen for _, seen in self.seen]
        not_latched = [seen for seen in all_seen if seen.not_latched]
        unsafe = [seen for seen in all_seen if seen.unsafe or seen.not_latched]
        return {
            "tick_build": compiled.description(),
            "injections": len(all_seen),
            "unsafe": len(unsafe) + self.leftover,
            "not_latched": len(not_latched),
            "leftover_processes": self.leftover,
            "kinds": {kind: _of_kind(all_seen, kind) for kind in sorted({seen.kind for seen in all_seen})},
            "largest_force_n": round(max(seen.force_n for seen in all_seen), 2),
            "repeated": self.wasted,
            "repeated_on_a_new_bench": len(self.again),
            "unexpected": self.unexpected,
            "unsafe_injections": [seen.to_json() for seen in unsafe],
            "cases": [seen.to_json() for item, seen in self.seen if item.case is not None],
        }


def _of_kind(all_seen: list[Observation], kind: str) -> dict[str, Any]:
    mine = [seen for seen in all_seen if seen.kind == kind]
    ticks = [seen.ticks for seen in mine if seen.ticks is not None]
    return {
        "injections": len(mine),
        "reactions": dict(Counter(seen.reaction for seen in mine)),
        "reasons": dict(Counter(seen.reason for seen in mine if seen.reason != "NONE")),
        "ticks_median": float(np.median(ticks)) if ticks else None,
        "ticks_max": max(ticks, default=None),
    }


def main() -> int:
    """Run a campaign; the exit status is 1 if anything unsafe happened."""
    parser = argparse.ArgumentParser(prog="make faults", description="Inject faults into insertions on the twin.")
    parser.add_argument("--count", type=int, default=500, help="injections, at least 1")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn, at least 0")
    parser.add_argument("--factor", type=float, default=FACTOR, help="simulated seconds per second")
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="results file, relative to the repository")
    args = parser.parse_args()
    if args.count < 1 or args.seed < 0:
        parser.error(f"expected a count >= 1 and a seed >= 0, got {args.count} and {args.seed}")
    out = table.ROOT / args.out
    try:
        check_writable(out.parent)
    except StorageError as error:
        parser.error(str(error))
    # SIGTERM must end the nodes as well.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    print(f"{args.count} injections, seed {args.seed}, {args.factor:g} times real time", flush=True)
    campaign = Campaign(draw(args.count, args.seed), args.factor)
    campaign.run()
    facts = provenance(seed=args.seed, env_steps=0)
    results = campaign.results() | campaign_origin(facts, "faults")
    write_whole(out, json.dumps(results, indent=2) + "\n")
    print(f"wrote {out}")
    if out == table.RESULTS and len(results["cases"]) >= len(CASES):
        table.main()
    for sentence in results["unexpected"]:
        print(f"not as expected: {sentence}")
    print(f"{results['injections']} injections, {results['unsafe']} unsafe, {results['not_latched']} not latched")
    return 1 if results["unsafe"] else 0


if __name__ == "__main__":
    sys.exit(main())
