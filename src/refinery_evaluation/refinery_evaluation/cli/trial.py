"""``refinery trial``: place, insert and score trials on the running twin, as the demo does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rclpy
import tyro
from rclpy.signals import SignalHandlerOptions

from refinery.bringup.node_spec import check_namespace
from refinery.bringup.ros_start import init_ros
from refinery.config import check
from refinery.errors import RefineryError
from refinery.statistics import Rate
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.records import write_trials
from refinery_evaluation.trials.run import FIRST_SEED, MODES, one_trial


@dataclass(frozen=True, kw_only=True)
class Args:
    """Run trials on the twin that is up: new cell, place, insert, and what really happened."""

    count: int = 5
    """Trials."""
    start: str = "sampled"
    """Initial states: sampled, uniform (over the deployment box), or both, on the same cells."""
    seed: int = 0
    """Seed of the cells: trial i of equal seeds sees the same cell."""
    namespace: str = ""
    """Of the cell, as in /left; empty: none."""
    out: Path | None = None
    """Also write the records here (.json), for `refinery report --records`."""
    wait_s: float = 30.0
    """Wait at most this long for the nodes, [s]."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.count > 0, "count", "a positive number", self.count)
        check(self.start in (*MODES, "both"), "start", f"one of {', '.join(MODES)}, both", self.start)
        check_namespace(self.namespace)


def main() -> None:
    """Entry point."""
    try:
        run_all(tyro.cli(Args, prog="refinery trial"))
    except RefineryError as error:
        print(f"refinery trial: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def run_all(args: Args) -> list[TrialRecord]:
    """Run the trials, with a line for each; returns their records."""
    kinds = list(MODES) if args.start == "both" else [args.start]
    print("waiting for twin, sampler and policy node ...", file=sys.stderr, flush=True)
    records: list[TrialRecord] = []
    with _client(args) as (client, task):
        for index in range(args.count):
            for kind in kinds:
                record = one_trial(client, index, kind, MODES[kind], FIRST_SEED + 1000 * args.seed + index)
                records.append(record)
                print(_line(record), flush=True)
    for kind in kinds:
        print(f"{kind} starts, strict success: {Rate.of([r.strict for r in records if r.starts == kind])}")
    if args.out:
        write_trials(args.out, task, records)
        print(f"records: {args.out}")
    return records


@contextmanager
def _client(args: Args) -> Iterator[tuple[TrialClient, str]]:
    """A client of the cell, and the name of the task that it has loaded."""
    # Ctrl-C is for Python: the handler of rclpy would end the context under a call first.
    init_ros(signal_handler_options=SignalHandlerOptions.NO)
    try:
        client = TrialClient(rclpy.create_node("refinery_trial", namespace=args.namespace or None), lambda: None)
        client.wait_until_ready(args.wait_s)
        yield client, client.task()
    finally:
        rclpy.try_shutdown()


def _line(record: TrialRecord) -> str:
    """One trial: number, start, whether the physics say it is seated, and how it ended."""
    chance = "" if record.predicted is None else f" (predicted {100 * record.predicted:.0f} %)"
    result = "seated" if record.strict else "FAILED"
    return f"trial {record.index} from a {record.starts} start{chance}: {result}; {record.outcome}: {record.reason}"
