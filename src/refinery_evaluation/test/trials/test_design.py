"""A plan is balanced, blinded, repeatable where it may be, and cannot be changed unseen."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from refinery.errors import ConfigError, DamagedFileError
from refinery_evaluation.cli.evaluate import main
from refinery_evaluation.trials.design import (
    KEY,
    PLAN,
    Design,
    Key,
    draw_design,
    load_design,
    named_conditions,
    save_design,
)
from refinery_evaluation.trials.sample_size import SampleSizes

NAMES = ("base", "refined", "refined+sampled")


def drawn(bundles: dict[str, Path], blocks: int = 60, seed: int = 3) -> tuple[Design, Key]:
    return draw_design(
        named_conditions(NAMES, bundles),
        blocks=blocks,
        seed=seed,
        stopping="fixed",
        from_percent=90,
        detect_points=5,
    )


def test_every_block_has_every_condition_once_on_one_seed(bundles: dict[str, Path]) -> None:
    design, key = drawn(bundles)
    assert [trial.number for trial in design.trials] == list(range(180))
    for block in range(60):
        trials = [trial for trial in design.trials if trial.block == block]
        assert sorted(trial.code for trial in trials) == ["A", "B", "C"] == sorted(key.conditions)
        assert len({trial.seed for trial in trials}) == 1
    assert len({trial.seed for trial in design.trials}) == 60
    assert {key.conditions[code].name for code in design.codes} == set(NAMES)
    assert key.conditions[key.control].name == "base" and len(key.others) == 2


def test_orders_are_random_and_codes_are_not_drawn_from_the_seed(bundles: dict[str, Path]) -> None:
    plans = [drawn(bundles, 1) for _ in range(40)]
    assert len({plan[0].order for plan in plans}) == 1
    # With three equally probable codes of the control one of them is missing in 40 draws with probability 3e-7.
    assert {plan[1].control for plan in plans} == {"A", "B", "C"}
    # Each of six orders is expected ten times in 60 blocks; one that never comes has probability 1e-4.
    assert len(Counter(drawn(bundles)[0].order)) == 6


def test_a_plan_says_nothing_about_the_key_and_reads_back(bundles: dict[str, Path], tmp_path: Path) -> None:
    design, key = drawn(bundles)
    save_design(tmp_path, design, key)
    assert load_design(tmp_path) == (design, key)
    shown = (tmp_path / PLAN).read_text()
    assert not any(word in shown for word in ("base", "refined", key.nonce, key.conditions["A"].bundle_hash))
    with pytest.raises(ConfigError, match="no plan there yet"):
        save_design(tmp_path, design, key)


@pytest.mark.parametrize("file", [PLAN, KEY])
def test_a_changed_plan_is_refused(bundles: dict[str, Path], tmp_path: Path, file: str) -> None:
    save_design(tmp_path, *drawn(bundles))
    raw = json.loads((tmp_path / file).read_text())
    if file == PLAN:
        raw["order"][0] = raw["order"][0][::-1]
    else:
        raw["conditions"]["A"], raw["conditions"]["B"] = raw["conditions"]["B"], raw["conditions"]["A"]
    (tmp_path / file).write_text(json.dumps(raw))
    with pytest.raises(DamagedFileError, match="it was changed"):
        load_design(tmp_path)


def test_an_altered_bundle_is_found(bundles: dict[str, Path]) -> None:
    (condition,) = named_conditions(("refined",), bundles)
    condition.check_bundle()
    with pytest.raises(ConfigError, match="plan anew"):
        dataclasses.replace(condition, bundle_hash="0" * 64).check_bundle()


@pytest.mark.parametrize("name", ["other", "refined+best", "refined+"])
def test_conditions_that_are_none_are_refused(bundles: dict[str, Path], name: str) -> None:
    with pytest.raises(ConfigError, match="conditions"):
        named_conditions((name,), bundles)


def test_trials_needed_are_those_of_the_literature() -> None:
    sizes = SampleSizes(first=0.9, second=0.95)
    # Fleiss, Levin and Paik (2003), table A.4 without continuity correction: 435 of each.
    assert sizes.unpaired == 435
    # By exact enumeration, between nothing lost (5 % differ) and independence (4.5 % lost, 9.5 % gained).
    assert (sizes.pairs_at_least, sizes.pairs_at_most) == (157, 463)
    three = SampleSizes(first=0.9, second=0.95, comparisons=2)
    assert three.alpha == 0.025 and three.pairs_at_most > 463 and three.unpaired > 435


def test_the_command_prints_sizes_and_writes_the_plan(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--from", "80", "--detect", "15"]) == 0
    assert "blocks on common seeds" in capsys.readouterr().out
    named = [f"{name}={path}" for name, path in bundles.items()]
    words = [
        "plan",
        "--conditions",
        "base,refined",
        "--blocks",
        "4",
        "--out",
        str(tmp_path / "x"),
        "--task",
        "peg_rect",
    ]
    assert main([*words, "--bundles", *named]) == 0
    design, _ = load_design(tmp_path / "x")
    assert len(design.trials) == 8 and design.hash() in capsys.readouterr().out
    assert main(["plain"]) == 2
