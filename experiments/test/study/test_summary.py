"""From records to study.json: every figure from the right episodes, nothing invented."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments.study.plan import VARIANT, Unit
from experiments.study.records import unpack_outcomes
from experiments.study.summary import CONDITIONS, summarise
from experiments.test.study.synthetic import (
    EPISODES,
    ROUNDS,
    STEPS_PER_ROUND,
    STUDY,
    Truth,
    identities_of,
    save_all,
    spec_of,
)


def summary_of(spec, folder, truths=None, leave_out=lambda unit: False, identities=None):
    records = save_all(spec, folder, truths or {}, leave_out)
    return records, summarise(spec, spec.tasks, records, identities or identities_of(spec))


def test_the_keys_that_others_read_are_there(complete):
    spec, study = complete
    assert list(study["tasks"]) == list(spec.tasks) and study["not_run"] == []
    for task in study["tasks"].values():
        for name in CONDITIONS:
            assert set(task[name]) == {"k", "n"} and task[name]["n"] == 3 * EPISODES
        assert task["env_steps"] == ROUNDS * STEPS_PER_ROUND and isinstance(task["structure_bits"], float)
        assert set(task["training"].values()) == {ROUNDS * STEPS_PER_ROUND}
        assert {"sampled_action", "trained_box", "engaged", "structure", "bad_region_share", "seeds"} <= task.keys()
        assert {"refined_superlevel", "refined_model_top", "chosen_rules", "per_seed"} <= task.keys()
    assert set(study["guided_over_uniform"]) == set(spec.versus_tasks)
    for entry in study["guided_over_uniform"].values():
        assert entry["seeds"] == 8 and entry["base"]["n"] == 8 * EPISODES
        low, high = entry["interval_points"]
        assert low <= entry["difference_points"] <= high and 0 <= entry["bad_region_share"] <= 1
        assert "steps_ratio" in entry
    assert set(study["acquisition"]) == {"t_post", "two_prongs"}
    assert set(study["acquisition"]["t_post"]) == {"ucb", "pi", "ei", "uncertainty"}
    json.dumps(study, allow_nan=False)


def test_the_mean_leaves_out_what_has_little_to_refine(complete):
    _, study = complete
    assert "hexagon" not in study["mean"]["tasks"] and len(study["mean"]["tasks"]) == 8
    rates = [study["tasks"][task]["refined"] for task in study["mean"]["tasks"]]
    assert study["mean"]["refined"] == pytest.approx(100 * np.mean([r["k"] / r["n"] for r in rates]), abs=0.01)


def test_verdicts_find_the_truth(complete):
    _, study = complete
    versus = study["guided_over_uniform"]
    assert versus["rect_slip"]["verdict"] == "better" and versus["rect_slip"]["steps_ratio"] < 1
    assert versus["cross_corner"]["verdict"] == "worse" and versus["cross_corner"]["steps_ratio"] is None
    assert versus["t_post"]["verdict"] == "no difference shown"
    assert versus["t_post"]["collapsed"] == {"uniform": 1, "refined": 0}


def test_pairs_are_paired_and_pools_are_pooled(tmp_path):
    spec = spec_of(("a",), seeds=2, versus=("a",))
    records, study = summary_of(spec, tmp_path)
    tests = {
        arm: [unpack_outcomes(records.load(Unit(task="a", kind="tune", arm=arm, seed=s))["test"]) for s in range(8)]
        for arm in ("uniform", "guided")
    }
    task, versus = study["tasks"]["a"], study["guided_over_uniform"]["a"]
    assert (
        task["refined"]["k"] == sum(int(o.sum()) for o in tests["guided"][:2]) and task["refined"]["n"] == 2 * EPISODES
    )
    assert versus["refined"]["k"] == sum(int(o.sum()) for o in tests["guided"])
    differences = [100 * (g.mean() - u.mean()) for g, u in zip(tests["guided"], tests["uniform"], strict=True)]
    assert versus["difference_points"] == pytest.approx(np.mean(differences), abs=0.01)
    assert task["seeds"]["refined"] == 2 and len(task["per_seed"]["refined"]) == 8
    assert task["per_seed"]["uniform"]["3"]["k"] == int(tests["uniform"][3].sum())


def test_the_chosen_rule_is_followed_seed_by_seed(tmp_path):
    spec = spec_of(("a",), seeds=3)
    records, study = summary_of(spec, tmp_path)
    unit = Unit(task="a", kind="starts", seed=1)
    changed = records.load(unit) | {"chosen": "mixture"}
    records.save(unit, changed)
    study = summarise(spec, spec.tasks, records, identities_of(spec))
    task = study["tasks"]["a"]
    assert task["chosen_rules"] == ["superlevel", "mixture", "superlevel"]
    assert task["per_seed"]["refined_best_rule"]["1"] == task["per_seed"]["refined_mixture"]["1"]
    assert task["per_seed"]["refined_best_rule"]["2"] == task["per_seed"]["refined_superlevel"]["2"]


def test_nothing_run_is_nothing_said(tmp_path):
    spec = spec_of(("a", "b"))
    _, study = summary_of(spec, tmp_path, leave_out=lambda unit: True)
    assert study["tasks"] == {} and study["not_run"] == ["a", "b"] and study["mean"] == {"tasks": []}
    assert study["guided_over_uniform"] == {} and study["units"]["done"] == 0


def test_a_missing_condition_is_absent_from_the_task_and_the_mean(tmp_path):
    spec = spec_of(("a", "b"))
    missing = lambda unit: unit.task == "b" and (unit.arm == "resampled" or unit.kind == "starts")  # noqa: E731
    _, study = summary_of(spec, tmp_path, leave_out=missing)
    assert "resampled" in study["tasks"]["a"] and "resampled" not in study["tasks"]["b"]
    assert "refined_mixture" not in study["tasks"]["b"] and "chosen_rules" not in study["tasks"]["b"]
    assert study["mean"]["tasks"] == ["a", "b"]
    assert "resampled" not in study["mean"] and "refined_best_rule" not in study["mean"] and "refined" in study["mean"]


def test_missing_seeds_are_counted_and_pairs_need_both(tmp_path):
    spec = spec_of(("a",), versus=("a",))
    missing = lambda unit: (unit.arm, unit.seed) in {("uniform", 1), ("guided", 2), ("guided", 7)}  # noqa: E731
    _, study = summary_of(spec, tmp_path, leave_out=missing)
    assert study["tasks"]["a"]["seeds"]["uniform"] == 2 and study["tasks"]["a"]["uniform"]["n"] == 2 * EPISODES
    assert study["guided_over_uniform"]["a"]["seeds"] == 5


def test_without_the_base_there_are_no_curves_but_figures(tmp_path):
    spec = spec_of(("a",), versus=("a",))
    _, study = summary_of(spec, tmp_path, leave_out=lambda unit: unit.kind == "base")
    assert "structure_bits" not in study["tasks"]["a"] and study["tasks"]["a"]["curves"] == {}
    entry = study["guided_over_uniform"]["a"]
    assert "base" not in entry and "steps_ratio" not in entry and "collapsed" not in entry
    assert entry["difference_points"] is not None and study["mean"] == {"tasks": []}


def test_one_seed_gives_a_difference_without_an_interval(tmp_path):
    spec = spec_of(("a",), seeds=1)
    _, study = summary_of(spec, tmp_path)
    entry = study["guided_over_uniform_few_seeds"]["a"]
    assert entry["interval_points"] is None and entry["verdict"] == "too few seeds"
    assert study["guided_over_uniform"] == {}


def test_records_of_other_settings_are_passed_over_and_counted(tmp_path):
    spec = spec_of(("a", "b"))
    _, study = summary_of(spec, tmp_path, identities={"a": "id-a", "b": "changed"})
    assert list(study["tasks"]) == ["a"] and study["not_run"] == ["b"]
    assert study["units"]["of_other_settings"] == study["units"]["done"] > 0


def test_a_uniform_that_collapsed_leaves_nothing_to_reach(tmp_path):
    spec = spec_of(("a",), versus=("a",))
    _, study = summary_of(spec, tmp_path, {"a": Truth(uniform=0.5)})
    entry = study["guided_over_uniform"]["a"]
    assert entry["steps_ratio"] is None and entry["steps_ratio_note"] == "nothing to reach"
    assert entry["collapsed"]["uniform"] == 8 and entry["verdict"] == "better"


def test_the_guided_arm_alone_is_no_ablation(tmp_path):
    spec = spec_of(("a",), ablation_tasks=("a",))
    _, study = summary_of(spec, tmp_path, leave_out=lambda unit: unit.arm.startswith(VARIANT))
    assert study["acquisition"] == {}


def test_synthetic_truths_are_of_the_studys_tasks(complete):
    assert set(complete[0].tasks) == set(STUDY)
