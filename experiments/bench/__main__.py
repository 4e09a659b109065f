"""``python -m experiments.bench``: measure, print, and merge the figures into the results file."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from experiments.bench.figures import Effort, measure
from experiments.results_file import merge_results, read_results
from refinery.bringup.ros_start import choose_own_domain
from refinery.errors import RefineryError
from refinery.paths import config_file
from refinery.storage import check_writable
from refinery_ros.realtime import ANY_CPU, Realtime
from refinery_sim.task import load_task


def main(args: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="peg_rect", help="name in config/tasks or path of a task file")
    parser.add_argument("--out", type=Path, default=Path("results/bench.json"), help="results file")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the repetitions: does it work at all?")
    parser.add_argument("--cpu", type=int, default=ANY_CPU, help="pin the ticks to this processor; -1: to none")
    parser.add_argument(
        "--fifo", type=int, default=0, help="run the ticks under SCHED_FIFO at this priority, memory locked"
    )
    # make bench gives both of its programs the same options, and this one leaves the other's alone.
    options, _ = parser.parse_known_args(args)
    choose_own_domain()
    effort = Effort()
    if options.quick:
        effort = Effort(ticks=200, slow_ticks=5, torch_steps=50, round_trips=30, calls=3, simulated_s=0.6)
    began = time.monotonic()
    try:
        realtime = Realtime(
            policy="fifo" if options.fifo else "other",
            priority=options.fifo or Realtime.priority,
            lock_memory=bool(options.fifo),
            cpu=options.cpu,
        )
        task = load_task(config_file("tasks", options.task))
        # Before the minutes of work, not after them.
        check_writable(options.out.parent)
        read_results(options.out)
        figures = measure(task, effort, realtime, lambda line: print(line, flush=True))
        merge_results(options.out, figures)
    except RefineryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.out}: {', '.join(figures)} ({time.monotonic() - began:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
