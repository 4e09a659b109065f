"""One sitting of an evaluation: goes on where the last one ended, asks, keeps the journal, says how long it takes."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence

from refinery.errors import ConfigError
from refinery.statistics import anytime_comparison
from refinery_evaluation.trials.cells import Cell
from refinery_evaluation.trials.design import Design, Key
from refinery_evaluation.trials.journal import DoneTrial, Journal
from refinery_evaluation.trials.operator import Operator
from refinery_evaluation.trials.trial_recorder import TrialRecorder

RECENT = 20
"""Trials whose mean duration the time left is estimated from."""


class Session:
    """Runs the trials of a design that are not done.

    Args:
        design: The design.
        key: Its key.
        journal: Its journal.
        cell: Where trials are run.
        operator: Who is asked.
        recorder: Records the trials.
        say: Takes a line for the terminal.
    """

    def __init__(
        self,
        design: Design,
        key: Key,
        journal: Journal,
        cell: Cell,
        operator: Operator,
        recorder: TrialRecorder,
        say: Callable[[str], None] = print,
    ) -> None:
        self._design, self._key, self._journal = design, key, journal
        self._cell, self._operator, self._recorder, self._say = cell, operator, recorder, say

    def run(self, blocks: int = 0) -> list[DoneTrial]:
        """Run trials until all are done.

        Args:
            blocks: End after so many blocks have been completed in this sitting; 0: go on to the end.

        Returns:
            All trials done so far, of earlier sittings too.

        Raises:
            ConfigError: The codes were uncovered, or a bundle is not the planned one.
            RefineryError: The cell failed; the trial counts as interrupted.
        """
        if self._journal.unblinded:
            expected = "codes that are still covered"
            raise ConfigError(
                "run", "plan", expected, f"uncovered {self._journal.unblinded}", "plan another evaluation"
            )
        for condition in self._key.conditions.values():
            condition.check_bundle()
        trials = self._design.trials
        done = {trial.planned.number for trial in self._journal.done(trials)}
        last = self._last_block(done, blocks)
        for trial in trials:
            if trial.number in done or trial.block > last:
                continue
            attempt = self._journal.begin(trial.number)
            self._recorder.begin(trial.number, attempt)
            began = time.monotonic()
            record = self._cell.run(trial, self._key.conditions[trial.code])
            seconds = time.monotonic() - began
            verdict = self._operator.verdict(trial) if record.placed else None
            bag = self._recorder.end(record.strict if verdict is None else verdict)
            self._journal.end(trial.number, attempt, record, seconds=seconds, bag=bag)
            if verdict is not None:
                self._journal.judge(trial.number, verdict, getpass.getuser())
            self._report(self._journal.done(trials))
        return self._journal.done(trials)

    def _last_block(self, done: set[int], blocks: int) -> int:
        """Return the last block of this sitting."""
        left = sorted({trial.block for trial in self._design.trials if trial.number not in done})
        return left[min(blocks, len(left)) - 1] if blocks and left else len(self._design.order)

    def _report(self, done: Sequence[DoneTrial]) -> None:
        trial, total = done[-1], len(self._design.trials)
        recent = [item.seconds for item in done[-RECENT:]]
        left_min = (total - len(done)) * sum(recent) / len(recent) / 60
        self._say(
            f"{len(done)}/{total} trials, block {trial.planned.block + 1} of {len(self._design.order)}: "
            f"{trial.planned.code} done; about {left_min:.0f} min left"
        )
        pairs = complete_blocks(self._design, done)
        if self._design.stopping == "anytime" and pairs and trial.planned.block == pairs[-1]:
            shown = [code for code in self._key.others if self._decided(code, done)]
            if len(shown) == len(self._key.others):
                # Neither which code nor in which direction: whoever runs trials is still to judge them.
                self._say("every comparison shows a difference: you may stop here (`refinery evaluate report`)")

    def _decided(self, code: str, done: Sequence[DoneTrial]) -> bool:
        first, second = paired(self._design, done, self._key.control, code)
        return anytime_comparison(first, second, 0.05 / len(self._key.others)).decided_at is not None


def complete_blocks(design: Design, done: Sequence[DoneTrial]) -> list[int]:
    """Blocks of which every trial is done, in order."""
    counts: dict[int, int] = {}
    for trial in done:
        counts[trial.planned.block] = counts.get(trial.planned.block, 0) + 1
    return sorted(block for block, count in counts.items() if count == len(design.codes))


def paired(design: Design, done: Sequence[DoneTrial], first: str, second: str) -> tuple[list[bool], list[bool]]:
    """Outcomes of two codes on the complete blocks, in the order of the blocks."""
    by = {(trial.planned.block, trial.planned.code): trial.success for trial in done}
    blocks = complete_blocks(design, done)
    return [by[block, first] for block in blocks], [by[block, second] for block in blocks]
