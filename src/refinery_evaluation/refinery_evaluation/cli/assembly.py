"""``assembly``: one assembly on the twin through the real nodes, its journal and a report, in minutes."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from refinery.bringup.ros_start import choose_own_domain
from refinery.bundle import load_bundle
from refinery.errors import RefineryError
from refinery.sequence.bundles import shipped_bundles
from refinery.sequence.sequence import Sequence, load_sequence
from refinery.storage import check_writable, write_whole
from refinery_evaluation.assembling.pictures import Snapshot, strip_png
from refinery_evaluation.assembling.report import report_text
from refinery_evaluation.assembling.rig import AssemblyRig, assembly_rig
from refinery_sim_train.command import run
from refinery_sim_train.console import console

_RUN = "assembly"


@dataclass(frozen=True, kw_only=True)
class Args:
    """Assemble a sequence on the twin."""

    sequence: str = "gearbox"
    """Name in config/sequences or path of a sequence file."""
    bundles: Path = field(default_factory=shipped_bundles)
    """Folder of its bundles; default: the refined ones that are shipped."""
    seed: int = 0
    """Of the cell and of every random choice, 0 to 9999."""
    realtime_factor: float = 2.0
    """Speed of the twin; 1 is real time. More needs more processor."""
    out: Path = Path("runs/assembly")
    """Folder for logs, journal, pictures and report; what an earlier run left there is removed."""


def assemble(args: Args) -> None:
    """Assemble and report.

    Raises:
        RefineryError: The assembly was not completed.
    """
    began = time.monotonic()
    sequence = load_sequence(args.sequence)
    check_writable(args.out)
    work = args.out / "run"
    shutil.rmtree(work, ignore_errors=True)
    bundles = args.bundles
    choose_own_domain()
    console.print(f"assemble {sequence.name}: {len(sequence.steps)} steps", style="bold")
    with assembly_rig(args.sequence, bundles, work, realtime_factor=args.realtime_factor, seed=args.seed) as rig:
        film = _Film(rig, sequence)
        result = rig.assemble(_RUN, args.seed, until=film.look)
        film.end()
        truth = rig.truth()
    assert result is not None
    shapes = {step.task: load_bundle(bundles / (step.bundle or step.task)).part for step in sequence.steps}
    write_whole(args.out / "strip.png", strip_png(sequence, shapes, film.snapshots))
    text = report_text(sequence, result, truth, seed=args.seed, seconds=time.monotonic() - began)
    write_whole(args.out / "report.md", text)
    console.print(text, markup=False)
    console.print(
        f"report: {args.out / 'report.md'}   pictures: {args.out / 'strip.png'}   journal: {work / 'journal.sqlite3'}"
    )
    if not all(part.seated for part in truth.values()):
        raise RefineryError(f"{sequence.name}: not every part is seated: {result.outcome.message}")


class _Film:
    """Takes a snapshot whenever a part was let go.

    Args:
        rig: The cell.
        sequence: The sequence.
    """

    def __init__(self, rig: AssemblyRig, sequence: Sequence) -> None:
        self._rig, self._sequence = rig, sequence
        self._next = 0
        self.snapshots: list[Snapshot] = []
        """In order."""

    def look(self) -> bool:
        """Take a snapshot if it is time for one; never ends the run."""
        if (self._next, "retreat") in self._rig.phases:
            self.take(self._sequence.steps[self._next].name)
            self._next += 1
        return False

    def end(self) -> None:
        """Take the last snapshot, after the last part or of what has become of it."""
        names = [step.name for step in self._sequence.steps]
        del self.snapshots[len(names) - 1 :]
        self.take("at the end" if len(self.snapshots) < len(names) - 1 else names[-1])

    def take(self, title: str) -> None:
        """Take a snapshot."""
        self.snapshots.append(Snapshot(title=title, parts=self._rig.parts_in_base()))


def main() -> None:
    """Entry point."""
    run(Args, assemble)
