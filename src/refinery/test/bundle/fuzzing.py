"""Load mutated bundles by the thousand: each must load or be refused with a BundleError, and nothing else may happen.

Run it from the repository: ``tools/env python src/refinery/test/bundle/fuzzing.py --count 100000 --seed 1``. It prints
the rate, what the errors were, and every escape with its number (``--start 4711 --count 1 --keep DIR`` repeats one).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# As a script: the modules beside this one under the names that they have in a test run.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bundle.fuzz_cases import make_case
from bundle.fuzz_corpus import corpus
from bundle.fuzz_worker import Finding, serve

HANG_S = 120.0
"""A case that takes longer by the clock hangs; a busy machine must not look like that."""
START_S = 120.0
"""Longest time of a child process until it is at its first case, [s]."""
LOAD = "bundle.fuzz_worker:use"
"""What is done with each mutated bundle."""


@dataclass(kw_only=True)
class Report:
    """What a campaign found."""

    seed: int
    """Of the cases."""
    kinds: Counter[str] = field(default_factory=Counter)
    """How often each thing happened."""
    escapes: list[Finding] = field(default_factory=list)
    """What must not happen."""
    seconds: float = 0.0
    """Duration."""

    @property
    def count(self) -> int:
        """Cases done."""
        return self.kinds.total()

    def text(self, most: int = 40) -> str:
        """Say it in words."""
        lines = [f"seed {self.seed}: {self.count} mutated bundles in {self.seconds:.0f} s"]
        lines[0] += f" ({self.count / max(self.seconds, 1e-9):.0f}/s), {len(self.escapes)} escapes"
        lines += [f"{count:8d}  {kind}" for kind, count in self.kinds.most_common(most)]
        for finding in self.escapes[:most]:
            lines.append(f"case {finding.index}: {finding.kind}\n    {finding.detail.strip()}")
        return "\n".join(lines)


class Worker:
    """One child process at work on a range of cases."""

    def __init__(self, seed: int, indices: range, action: str) -> None:
        # From a process that has imported everything and run nothing: a fork of this one could take a lock along.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["refinery.testing"])
        self.indices = indices
        self.connection, theirs = context.Pipe(duplex=False)
        self._current = context.Value("q", indices.start - 1, lock=False)
        self._process = context.Process(
            target=serve, args=(theirs, self._current, seed, indices, corpus(), action), daemon=True
        )
        self._process.start()
        theirs.close()
        self._changed_s = time.monotonic()

    def next(self, hang_s: float) -> Finding | None:
        """Return the next finding, or None at the end; a death or a hang is a finding.

        Raises:
            RuntimeError: The process did not come to its first case.
        """
        self._changed_s = time.monotonic()
        while True:
            try:
                if self.connection.poll(1.0):
                    return self.connection.recv()
            except (EOFError, ConnectionError):
                self._process.join()
                code = self._process.exitcode
                self._require_begun(f"died, exit code {code}")
                return Finding(index=self._at, kind=f"ESCAPE: the process died, exit code {code}")
            limit_s = hang_s if self._at >= self.indices.start else START_S
            if time.monotonic() - self._changed_s > limit_s:
                self.stop()
                self._require_begun(f"took more than {limit_s:.0f} s")
                return Finding(index=self._at, kind=f"ESCAPE: hangs for more than {limit_s:.0f} s")

    def _require_begun(self, what: str) -> None:
        """Give up if it never got past the good bundles: another process would not either."""
        if self._at < self.indices.start:
            raise RuntimeError(f"the child process {what} before its first case; does it load the good bundles?")

    @property
    def _at(self) -> int:
        return int(self._current.value)

    @property
    def over(self) -> bool:
        """Whether the process has ended or was ended."""
        return not self._process.is_alive()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def campaign(
    count: int,
    seed: int,
    *,
    start: int = 0,
    stop_after_s: float = float("inf"),
    hang_s: float = HANG_S,
    action: str = LOAD,
    say: Callable[[Report], None] | None = None,
) -> Report:
    """Work through cases in a child process, a new one after each death.

    Args:
        count: How many cases.
        seed: Of the cases.
        start: Number of the first one.
        stop_after_s: Stop early after this time, counted from the first finding, [s].
        hang_s: A case that takes longer is ended, [s].
        action: What is done with each bundle, ``module:function``.
        say: Called now and then with what is known so far.
    """
    report, said_s = Report(seed=seed), time.monotonic()
    todo, begin_s = range(start, start + count), 0.0
    worker: Worker | None = None
    try:
        while todo and report.seconds < stop_after_s:
            worker = worker or Worker(seed, todo, action)
            finding = worker.next(hang_s)
            if finding is None:
                break
            begin_s = begin_s or time.monotonic()
            report.seconds = time.monotonic() - begin_s
            report.kinds[finding.kind] += 1
            if finding.escaped:
                history = finding.detail or f"{make_case(seed, finding.index, corpus()).history}"
                report.escapes.append(Finding(index=finding.index, kind=finding.kind, detail=history))
            todo = range(finding.index + 1, todo.stop)
            if "process died" in finding.kind or "hangs" in finding.kind:
                worker.stop()
                worker = None
            if say is not None and time.monotonic() - said_s > 60:
                said_s = time.monotonic()
                say(report)
    finally:
        if worker is not None:
            worker.stop()
    return report


def main() -> int:
    """Entry point; the exit code is 1 if anything escaped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="mutated bundles")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first one")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--keep", type=Path, help="write the mutated files of every escape below this directory")
    args = parser.parse_args()
    report = campaign(
        args.count,
        args.seed,
        start=args.start,
        stop_after_s=args.minutes * 60,
        say=lambda so_far: print(so_far.text(most=0), flush=True),
    )
    print(report.text())
    for finding in report.escapes if args.keep else ():
        for name, content in make_case(args.seed, finding.index, corpus()).files.items():
            path = args.keep / str(finding.index) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content or b"")
    return 1 if report.escapes else 0


if __name__ == "__main__":
    sys.exit(main())
