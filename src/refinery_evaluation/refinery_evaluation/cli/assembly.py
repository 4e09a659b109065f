"""``assembly``: one assembly on the twin through the real nodes, its journal and a report, in minutes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from refinery.bringup.ros_start import choose_own_domain
from refinery.bundle import load_bundle
from refinery.bundled_task import MANIFEST
from refinery.errors import RefineryError
from refinery.sequence.sequence import Sequence, load_sequence
from refinery.storage import check_writable, write_whole
from refinery_evaluation.assembling.pictures import Snapshot, strip_png
from refinery_evaluation.assembling.report import report_text
from refinery_evaluation.assembling.rig import AssemblyRig, assembly_rig
from refinery_sim_train.cli.export import Args as ExportArgs
from refinery_sim_train.cli.export import export
from refinery_sim_train.command import run
from refinery_sim_train.console import console

_RUN = "assembly"


@dataclass(frozen=True, kw_only=True)
class Args:
    """Assemble a sequence on the twin."""

    sequence: str = "block_key"
    """Name in config/sequences or path of a sequence file."""
    bundles: Path | None = None
    """Folder of its bundles; default: the shipped base policy of each step's task, exported first."""
    preset: str = "smoke"
    """How many episodes an export gets: a name in config/refine or a path."""
    seed: int = 0
    """Of the cell and of every random choice, 0 to 9999."""
    realtime_factor: float = 2.0
    """Speed of the twin; 1 is real time. More needs more processor."""
    out: Path = Path("runs/assembly")
    """Folder for logs, journal and report; what an earlier run left there is removed, exported bundles excepted."""


def assemble(args: Args) -> None:
    """Export what is missing, assemble, report.

    Raises:
        RefineryError: The assembly was not completed.
    """
    began = time.monotonic()
    sequence = load_sequence(args.sequence)
    check_writable(args.out)
    work = args.out / "run"
    shutil.rmtree(work, ignore_errors=True)
    bundles = args.bundles or _exported(sequence, args)
    choose_own_domain()
    console.print(f"assemble {sequence.name}: {len(sequence.steps)} steps", style="bold")
    with assembly_rig(args.sequence, bundles, work, realtime_factor=args.realtime_factor, seed=args.seed) as rig:
        film = _Film(rig, sequence)
        result = rig.assemble(_RUN, args.seed, until=film.look)
        film.take("at the end")
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

    def take(self, title: str) -> None:
        """Take a snapshot."""
        self.snapshots.append(Snapshot(title=title, parts=self._rig.parts_in_base()))


def _exported(sequence: Sequence, args: Args) -> Path:
    """Return a folder with a bundle for each task of the sequence, made of the shipped weights."""
    folder = args.out / "bundles"
    for task in _different(step.task for step in sequence.steps):
        if (folder / task / MANIFEST).is_file():
            continue
        console.print(f"export {task}", style="bold")
        scratch = args.out / "export" / task
        bundle = export(ExportArgs(task=task, preset=args.preset, seed=args.seed, out=scratch)).bundle
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / task, ignore_errors=True)
        shutil.move(bundle, folder / task)
        shutil.rmtree(scratch)
    return folder


def _different(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def main() -> None:
    """Entry point."""
    run(Args, assemble)
