"""Sittings: stopped anywhere and gone on with, they come to the same figures as one; nothing is run twice unseen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from trials.records import record

from refinery.errors import ConfigError, DamagedFileError
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.design import (
    Condition,
    Design,
    Key,
    PlannedTrial,
    draw_design,
    named_conditions,
)
from refinery_evaluation.trials.journal import JOURNAL, Journal
from refinery_evaluation.trials.operator import KeyboardOperator, NoOperator
from refinery_evaluation.trials.session import Session, complete_blocks, paired
from refinery_evaluation.trials.trial_recorder import NoRecorder


class SeededCell:
    """Succeeds by seed and condition, and dies before the trial numbers it is told."""

    def __init__(self, dies_at: tuple[int, ...] = ()) -> None:
        self.dies_at = dies_at
        self.ran: list[int] = []

    def run(self, trial: PlannedTrial, condition: Condition) -> TrialRecord:
        if trial.number in self.dies_at:
            raise KeyboardInterrupt
        self.ran.append(trial.number)
        return record(trial, condition.name == "refined" or trial.seed % 3 > 0)


@pytest.fixture(scope="module")
def plan(bundles: dict[str, Path]) -> tuple[Design, Key]:
    conditions = named_conditions(("base", "refined"), bundles)
    return draw_design(conditions, blocks=12, seed=1, stopping="anytime", from_percent=70, detect_points=20)


@contextlib.contextmanager
def opened(folder: Path, design: Design) -> Iterator[Journal]:
    with contextlib.closing(Journal(folder, design.hash())) as journal:
        yield journal


def sitting(folder: Path, plan: tuple[Design, Key], cell: SeededCell, blocks: int = 0) -> list[str]:
    said: list[str] = []
    with opened(folder, plan[0]) as journal:
        journal.begin_sitting({"robot": "none"})
        Session(*plan, journal, cell, NoOperator(), NoRecorder(), said.append).run(blocks)
    return said


def figures(folder: Path, plan: tuple[Design, Key]) -> tuple[list[bool], list[bool]]:
    with opened(folder, plan[0]) as journal:
        done = journal.done(plan[0].trials)
    assert [trial.planned.number for trial in done] == list(range(24))
    return paired(plan[0], done, plan[1].control, plan[1].others[0])


def test_sittings_come_to_the_same_figures_as_one(tmp_path: Path, plan: tuple[Design, Key]) -> None:
    one, more = tmp_path / "one", tmp_path / "more"
    one.mkdir()
    more.mkdir()
    said = sitting(one, plan, SeededCell())
    assert len(said) >= 24 and "24/24 trials" in said[23]
    assert not any("base" in line or "refined" in line for line in said)
    cells = [SeededCell(), SeededCell(dies_at=(9,)), SeededCell()]
    sitting(more, plan, cells[0], blocks=3)
    with pytest.raises(KeyboardInterrupt):
        sitting(more, plan, cells[1])
    sitting(more, plan, cells[2])
    assert [cell.ran for cell in cells] == [list(range(6)), [6, 7, 8], list(range(9, 24))]
    assert figures(more, plan) == figures(one, plan)
    with opened(more, plan[0]) as journal:
        assert journal.interrupted() == {9: 1} and len(journal.sittings) == 3
        assert journal.done(plan[0].trials)[9].attempt == 2
    with opened(one, plan[0]) as journal:
        assert journal.interrupted() == {}


def test_only_complete_blocks_are_compared(tmp_path: Path, plan: tuple[Design, Key]) -> None:
    with opened(tmp_path, plan[0]) as journal:
        with pytest.raises(KeyboardInterrupt):
            Session(*plan, journal, SeededCell(dies_at=(5,)), NoOperator(), NoRecorder(), lambda _: None).run()
        done = journal.done(plan[0].trials)
        assert len(done) == 5 and complete_blocks(plan[0], done) == [0, 1]


def test_a_person_judges_by_the_code_and_the_machine_s_own_verdict_is_kept(
    tmp_path: Path, plan: tuple[Design, Key]
) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return ("perhaps", "n")[len(asked) % 2 - 1]

    with opened(tmp_path, plan[0]) as journal:
        Session(*plan, journal, SeededCell(), KeyboardOperator(ask), NoRecorder(), lambda _: None).run(1)
        first, second = journal.done(plan[0].trials)
        assert (first.verdict, first.success) == (False, False) and first.who
        assert {first.record.strict, second.record.strict} <= {True, False}
        with pytest.raises(ConfigError):
            journal.judge(0, True, "another")
    assert len(asked) == 4 and all(f"trial {1 + i // 2}, " in question for i, question in enumerate(asked))
    assert not any("base" in question or "refined" in question for question in asked)


def test_uncovered_codes_end_the_evaluation(tmp_path: Path, plan: tuple[Design, Key]) -> None:
    with opened(tmp_path, plan[0]) as journal:
        journal.unblind()
        with pytest.raises(ConfigError, match="uncovered"):
            Session(*plan, journal, SeededCell(), NoOperator(), NoRecorder()).run()


def test_a_journal_is_of_one_plan_and_no_other_file_is_one(tmp_path: Path, plan: tuple[Design, Key]) -> None:
    with opened(tmp_path, plan[0]):
        pass
    with pytest.raises(ConfigError, match="these trials were run by"):
        Journal(tmp_path, "0" * 64)
    (tmp_path / JOURNAL).write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(DamagedFileError):
        Journal(tmp_path, plan[0].hash())
