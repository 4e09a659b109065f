"""Writes docs/faults.md from what a campaign observed: ``tools/env python -m experiments.faults.table``."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.faults.expectations import CASES, HELD, PROCESS, REFUSED, STOPPED, WHAT, Case
from refinery.storage import read_json, write_whole

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results" / "faults.json"
PAGE = ROOT / "docs" / "faults.md"
HEAD = ("fault", "stream", "detector (reason)", "reaction", "policy steps to react", "test")
_NO_STEPS = ("killed_node", "clock_stop", "dead_cell", "dead_move_group")
"""Kinds that no policy step reacts to."""
_TESTS = "experiments/test/faults/test_faults.py"
_MOMENTS = {False: "in the middle of an insertion", True: "before an insertion"}


def row(case: Case, ticks: Sequence[int] = ()) -> tuple[str, ...]:
    """Return one row of the page.

    Args:
        case: What was expected.
        ticks: Policy steps that the reaction took, one number for each time it was observed.
    """
    return (case.kind, case.stream or "the cell", _detector(case), case.reaction, _shown(case, ticks), _test(case))


def _detector(case: Case) -> str:
    if case.kind == "killed_node":
        return "none: the node is dead"
    return case.reasons[0] if case.reaction in (STOPPED, REFUSED) else "none"


def _shown(case: Case, ticks: Sequence[int]) -> str:
    if case.early or case.reaction not in (STOPPED, HELD) or case.kind in _NO_STEPS:
        return "-"
    if case.kind == "switch_refused":
        return "at the end"
    if not ticks:
        return "not observed"
    return (
        f"{statistics.median(ticks):g}"
        if min(ticks) == max(ticks)
        else (f"{statistics.median(ticks):g} ({min(ticks)} to {max(ticks)})")
    )


def _test(case: Case) -> str:
    name = "the_node_and_the_cell" if case in PROCESS else _MOMENTS[case.early].replace(" ", "_")
    return f"`test_{name}[{case.name}]`"


def rows(page: str) -> list[tuple[str, ...]]:
    """Read the rows back from a page."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return [line for line in cells if line != HEAD and set(line) != {"---"}]


def page(results: dict[str, Any]) -> str:
    """Return the page for the contents of results/faults.json."""
    seen: dict[tuple[str, str, bool], list[int]] = {}
    for item in results["cases"]:
        if item["ticks"] is not None:
            seen.setdefault((item["kind"], item["stream"], item["early"]), []).append(item["ticks"])
    parts = [_introduction(results)]
    for early, moment in _MOMENTS.items():
        parts += [f"## Faults {moment}", "", *_table([case for case in CASES if case.early is early], seen), ""]
    used = dict.fromkeys(case.kind for case in CASES)
    parts += ["## What the faults are", "", *(f"- `{kind}`: {WHAT[kind]}." for kind in used), ""]
    return "\n".join(parts)


def _table(cases: Sequence[Case], seen: dict[tuple[str, str, bool], list[int]]) -> list[str]:
    lines = [_line(HEAD), "|" + " --- |" * len(HEAD)]
    return lines + [_line(row(case, seen.get((case.kind, case.stream, case.early), ()))) for case in cases]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _introduction(results: dict[str, Any]) -> str:
    date, commit = results["date"][:10], results["commit"][:10]
    return f"""# Faults and reactions

Written by `make faults` from `results/faults.json` (again: `tools/env python -m experiments.faults.table`); do not
edit. Every row is a test of `{_TESTS}`: a real insertion by the real policy node on the twin, a fault
injected, and what came of it. Each test checks as well that the commanded force keeps the task's bound, that no target
leaves the workspace, that nothing moves after a stop, that another insertion is refused until `~/rearm`, and that
re-arming is refused while the cause can be seen.

- stopped: compliant at the measured pose, handed back, latched. refused: nothing moved, nothing latched. tolerated: it
  ran on within all bounds. held: the arm rests at the last target by its own impedance controller.
- Policy steps to react: those that began after the fault, up to the first that held or stopped (15 a second): median,
  and the range where they differ. A second publisher is looked for every 0.25 s by the wall clock, so the steps that
  takes grow with the pace of the simulation. A controller switch that is refused shows when the insertion ends.
- A stall that the node wakes up from is tolerated: the arm has come to rest meanwhile, and the next step starts from
  where it is. It may also end in a stop, by whichever input looks too old first.
- Where the clock stands still there are no policy steps: the node's steady clock ends the insertion after 2 s, also
  where nothing answers any more. A dead `move_group` is a fault of a placement, which the sampler halts through the
  trajectory controller. A callback that raises is one of eight.
- After a killed node the twin heeds no target until the graph has forgotten the dead publisher (up to 20 s), as with
  any second publisher. A real impedance controller follows whoever speaks.

Numbers of {results["injections"]} injections (seed {results["seed"]}, {date}, commit {commit}, tick {results["tick_build"]}):
{results["unsafe"]} unsafe, {results["not_latched"]} not latched, {results["leftover_processes"]} processes left.
"""


def main() -> None:
    """Write the page."""
    write_whole(PAGE, page(read_json(RESULTS)))
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
