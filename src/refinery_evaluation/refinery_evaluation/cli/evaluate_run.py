"""``refinery evaluate run``: run the trials of a plan, on the twin or on a robot, in as many sittings as one likes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from refinery.bringup.middleware import check_middleware
from refinery.bringup.node_spec import check_namespace
from refinery.config import check
from refinery.errors import RefineryError
from refinery.storage import check_writable
from refinery_evaluation.trials.bringup import running_cell, twin_cell
from refinery_evaluation.trials.bundle_switch import BundleSwitch
from refinery_evaluation.trials.cells import Cell, RobotCell, TwinCell
from refinery_evaluation.trials.design import load_design
from refinery_evaluation.trials.journal import Journal
from refinery_evaluation.trials.operator import KeyboardOperator, NoOperator, Operator
from refinery_evaluation.trials.session import Session
from refinery_evaluation.trials.trial_recorder import BagRecorder, NoRecorder, Record, TrialRecorder, recorder_spec
from refinery_sim_train.provenance import provenance


@dataclass(frozen=True, kw_only=True)
class Args:
    """Run the trials of a plan that are not done yet. Ctrl-C ends the sitting; the same command goes on."""

    plan: Path
    """Folder that `refinery evaluate plan` made."""
    robot: str = "twin"
    """twin: brought up for the trials; any other profile: a cell that is up (refinery up, ros2 launch)."""
    blocks: int = 0
    """End the sitting after so many blocks; 0: when all trials are done."""
    realtime_factor: float = 2.0
    """Speed of the twin; 1 is real time."""
    record: Record = "all"
    """all: every trial; failures: the last seconds of those that fail; off: none. Where the robot's cell is up already,
    so has to be the recorder (refinery run refinery_evaluation recorder_node)."""
    namespace: str = ""
    """Of a robot's cell, as in /left; empty: none."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.blocks >= 0, "blocks", ">= 0", self.blocks)
        check_namespace(self.namespace)


def main(argv: Sequence[str]) -> int:
    """Run a sitting.

    Args:
        argv: Words after ``refinery evaluate run``.

    Returns:
        0 if it ended as asked, 130 if it was interrupted.

    Raises:
        RefineryError: The plan cannot be run, or the cell failed.
    """
    args = tyro.cli(Args, args=list(argv), prog="refinery evaluate run")
    check_middleware(os.environ)
    design, key = load_design(args.plan)
    check_writable(args.plan)
    with contextlib.closing(Journal(args.plan, design.hash())) as journal:
        again = f"go on with: refinery evaluate run --plan {args.plan}"
        try:
            with _cell(args, Path(next(iter(key.conditions.values())).bundle)) as (cell, operator, recorder):
                journal.begin_sitting(provenance(seed=design.seed, env_steps=0) | {"robot": args.robot})
                done = Session(design, key, journal, cell, operator, recorder).run(args.blocks)
        except KeyboardInterrupt:
            print(f"\ninterrupted; {again}")
            return 130
        except RefineryError:
            print(again)
            raise
        print(f"{len(done)}/{len(design.trials)} trials are done")
        print(again if len(done) < len(design.trials) else f"see: refinery evaluate report --plan {args.plan}")
    return 0


@contextlib.contextmanager
def _cell(args: Args, bundle: Path) -> Iterator[tuple[Cell, Operator, TrialRecorder]]:
    if args.robot == "twin":
        more = [] if args.record == "off" else [recorder_spec("twin", args.plan)]
        up = twin_cell(bundle, args.plan / "logs", realtime_factor=args.realtime_factor, more=more)
    else:
        up = running_cell(args.namespace)
    with up as (node, client):
        switch = BundleSwitch(node, client.result)
        recorder: TrialRecorder = NoRecorder()
        if args.record != "off":
            recorder = BagRecorder(node, client.result, args.plan, args.record)
        if args.robot == "twin":
            yield TwinCell(client, switch), NoOperator(), recorder
        else:
            operator = KeyboardOperator()
            yield RobotCell(client, switch, operator), operator, recorder
