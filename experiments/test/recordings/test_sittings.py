"""The runs of one plan: all have the same design, and what differs between two is told trial by trial."""

from __future__ import annotations

from pathlib import Path

from experiments.recordings.sittings import RUNS, differing, plan_sittings
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.design import load_design
from refinery_evaluation.trials.journal import DoneTrial


def test_all_runs_have_one_design_and_planning_again_keeps_it(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "tiny", load_task(config_file("tasks", "peg_rect")))
    work = tmp_path / "work"
    plan_sittings(work, None, bundle, 3, seed=0)
    before = [load_design(work / name) for name in RUNS]
    assert len({design.hash() for design, _ in before}) == 1
    design, key = before[0]
    assert len(design.trials) == 6
    assert {condition.mode for condition in key.conditions.values()} == {"uniform", "best"}
    # The meaning of the codes is drawn anew each time, so a second plan would be another one.
    plan_sittings(work, None, bundle, 3, seed=0)
    assert [load_design(work / name) for name in RUNS] == before


def test_trials_that_ended_otherwise_are_named(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "tiny", load_task(config_file("tasks", "peg_rect")))
    plan_sittings(tmp_path / "work", None, bundle, 1, seed=0)
    trials = load_design(tmp_path / "work" / RUNS[0])[0].trials

    def done(number: int, success: bool) -> DoneTrial:
        record = TrialRecord(
            index=number, starts="uniform", seed=0, theta=(), predicted=None, placed=True, place_error_mm=0.1,
            place_error_deg=0.0, outcome="success" if success else "failed", reason="", strict=success, engaged=success,
            depth_mm=25.0 if success else 1.0, lateral_mm=0.1, angle_deg=0.0, max_force_n=1.0, duration_s=3.0,
        )  # fmt: skip
        return DoneTrial(planned=trials[number], attempt=1, record=record, verdict=None, who="", seconds=1.0, bag="")

    (found,) = differing([done(0, True), done(1, True)], [done(0, True), done(1, False)])
    assert found["trial"] == 2
    assert found["depth_mm"] == [25.0, 1.0]
