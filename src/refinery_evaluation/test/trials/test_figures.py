"""What an evaluation came to, by code and by name, in numbers and as a page that stands alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from report.test_html import read
from trials.records import record

from refinery.bundled_task import load_bundled_task
from refinery.statistics import PairedComparison, Rate
from refinery_evaluation.cli.evaluate import main
from refinery_evaluation.trials.design import (
    Condition,
    Design,
    Key,
    PlannedTrial,
    draw_design,
    named_conditions,
    save_design,
)
from refinery_evaluation.trials.figures import collect, spread
from refinery_evaluation.trials.journal import Journal
from refinery_evaluation.trials.operator import NoOperator
from refinery_evaluation.trials.session import Session
from refinery_evaluation.trials.taxonomy import Failure
from refinery_evaluation.trials.trial_recorder import NoRecorder

NAMES = ("base", "refined", "refined+sampled")
BLOCKS = 40


def wins(name: str, block: int) -> bool:
    """The base loses every third block, the refined policy every tenth, with chosen starts none."""
    return {"base": block % 3 > 0, "refined": block % 10 > 0, "refined+sampled": True}[name]


class Cell:
    """Ends each trial as :func:`wins` says, stopped by contact or by a lost measurement in turn."""

    def __init__(self, box: object) -> None:
        self._box = box

    def run(self, trial: PlannedTrial, condition: Condition) -> object:
        guard = ("wrench_limit", "state_lost")[trial.block % 2]
        ended = {} if wins(condition.name, trial.block) else {"outcome": "stopped", "guard": guard, "reason": "<why>"}
        theta = tuple(self._box.uniform(1, np.random.default_rng(trial.seed))[0])  # type: ignore[attr-defined]
        return record(trial, not ended, theta=theta, max_force_n=20.0 + trial.block, **ended)


@pytest.fixture(scope="module")
def folder(bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    conditions = named_conditions(NAMES, bundles)
    design, key = draw_design(conditions, blocks=BLOCKS, seed=1, stopping="anytime", from_percent=70, detect_points=20)
    save_design(folder, design, key)
    box = load_bundled_task(bundles["base"]).initial_state.deployed
    journal = Journal(folder, design.hash())
    journal.begin_sitting({"robot": "none", "machine": "a machine", "versions": {"numpy": "2"}})
    journal.begin(0)
    Session(design, key, journal, Cell(box), NoOperator(), NoRecorder(), lambda _: None).run()  # type: ignore[arg-type]
    journal.close()
    return folder


def loaded(folder: Path) -> tuple[Design, Key, Journal]:
    from refinery_evaluation.trials.design import load_design

    design, key = load_design(folder)
    return design, key, Journal(folder, design.hash())


def test_figures_by_name_are_those_that_were_put_in(folder: Path) -> None:
    design, key, journal = loaded(folder)
    figures = collect(design, key, journal.done(design.trials), journal.interrupted(), uncovered=True)
    journal.close()
    expected = {name: [wins(name, block) for block in range(BLOCKS)] for name in NAMES}
    assert figures.rates == {name: Rate.of(outcomes) for name, outcomes in expected.items()}
    assert next(iter(figures.rates)) == figures.control == "base"
    for item in figures.compared:
        assert item.pairs == PairedComparison.of(expected["base"], expected[item.name])
        assert item.adjusted_p >= item.pairs.p_value
    assert sum(figures.interrupted.values()) == 1
    groups = {group: len(trials) for group, trials in figures.failures().items()}
    assert set(groups) == {Failure.CONTACT, Failure.SENSING}
    assert sum(groups.values()) == sum(outcomes.count(False) for outcomes in expected.values())


def test_covered_codes_do_not_say_which_is_the_control(folder: Path) -> None:
    design, key, journal = loaded(folder)
    figures = collect(design, key, journal.done(design.trials), {}, uncovered=False)
    journal.close()
    assert set(figures.rates) == {"A", "B", "C"} and figures.control == "A"


def test_the_command_writes_a_page_and_figures_and_uncovering_is_for_good(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--plan", str(folder)]) == 0
    covered = read((folder / "report.html").read_text()).text
    assert "codes are covered" in covered and "refined" not in covered
    assert main(["report", "--plan", str(folder), "--unblind"]) == 0
    content = (folder / "report.html").read_text()
    text = read(content).text
    assert "refined+sampled succeeds more often than base" in text and "<why>" in text and "<why>" not in content
    assert "stopped by contact" in text and "says nothing about policy or start" in text
    assert content.count("data:image/png;base64,") == 2 and "http" not in content.lower()
    plain = json.loads((folder / "report.json").read_text())
    assert plain["conditions"]["base"]["k"] == sum(wins("base", block) for block in range(BLOCKS))
    assert plain["unblinded"] and plain["complete_blocks"] == BLOCKS
    assert "succeeds more often" in capsys.readouterr().out
    assert main(["report", "--plan", str(folder)]) == 0
    assert "codes are covered" not in read((folder / "report.html").read_text()).text


def test_a_spread_leaves_out_what_is_not_known() -> None:
    assert spread([float("nan")]) is None
    assert spread([1.0, 2.0, 3.0, float("nan")]) == pytest.approx((2.0, 1.2, 2.8))
