"""Real trials move the simulated model as far as they can justify, and the new bundle says where it comes from."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from trials.records import record

from refinery.bundle import load_bundle
from refinery.errors import ConfigError
from refinery.initial_state import Box
from refinery.paths import config_file
from refinery.success_model import SuccessModel
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.cli.refit import main
from refinery_evaluation.refit.correction import OFFSET, correct
from refinery_evaluation.refit.real_trials import RealTrials
from refinery_evaluation.trials.design import PlannedTrial, draw_design, hash_bundle, named_conditions, save_design
from refinery_evaluation.trials.journal import DoneTrial, Journal


@pytest.fixture(scope="module")
def box() -> Box:
    return load_task(config_file("tasks", "peg_rect")).initial_state.deployed


@pytest.fixture(scope="module")
def model(box: Box) -> SuccessModel:
    """Simulated success of 80 % everywhere."""
    rng = np.random.default_rng(0)
    inputs = rng.random((200, len(box.free)))
    return SuccessModel(
        inputs=inputs,
        rates=np.full(200, 0.8),
        noise_variance=np.full(200, 0.16),
        prior_mean=0.8,
        amplitude=0.2,
        length_scales=np.full(len(box.free), 0.5),
        box=box,
    )


def trials(box: Box, count: int, chance: object, seed: int = 1) -> RealTrials:
    rng = np.random.default_rng(seed)
    theta = box.uniform(count, rng)
    success = rng.random(count) < chance(box.to_unit(theta))  # type: ignore[operator]
    return RealTrials(theta=theta, success=success, uniform=np.ones(count, dtype=bool), left_out={})


def test_a_few_trials_move_the_offset_only_and_not_all_the_way(model: SuccessModel, box: Box) -> None:
    few = trials(box, 20, lambda unit: np.full(len(unit), 0.4))
    found = correct(model, few)
    assert not found.smooth and -0.4 < found.offset < -0.1
    assert found.pull.sum() == pytest.approx(found.offset) and 0 < found.offset_std < OFFSET
    somewhere = box.uniform(50, np.random.default_rng(5))
    shift = found.model.predict(somewhere).mean - model.predict(somewhere).mean
    np.testing.assert_allclose(shift, found.offset, atol=1e-9)


def test_trials_that_agree_change_nothing_much(model: SuccessModel, box: Box) -> None:
    found = correct(model, trials(box, 400, lambda unit: np.full(len(unit), 0.8)))
    assert abs(found.offset) < 0.06


def test_many_trials_find_where_the_cell_differs(model: SuccessModel, box: Box) -> None:
    found = correct(model, trials(box, 400, lambda unit: np.where(unit[:, 0] < 0.5, 0.95, 0.35)))
    assert found.smooth
    theta = box.uniform(400, np.random.default_rng(6))
    left = box.to_unit(theta)[:, 0] < 0.4
    right = box.to_unit(theta)[:, 0] > 0.6
    predicted = found.model.predict(theta).mean
    assert predicted[left].mean() > predicted[right].mean() + 0.1


def test_stops_that_would_have_come_from_anywhere_are_left_out(box: Box) -> None:
    planned = PlannedTrial(number=0, block=0, code="A", seed=1)
    theta = tuple(box.uniform(1, np.random.default_rng(0))[0])
    records = [
        record(planned, True, theta=theta),
        record(planned, False, theta=theta),
        record(planned, False, theta=theta, outcome="stopped", guard="wrench_limit"),
        record(planned, False, theta=theta, outcome="stopped", guard="state_lost"),
        record(planned, False, placed=False, outcome="timed_out"),
    ]
    done = [
        DoneTrial(planned=planned, attempt=1, record=item, verdict=None, who="", seconds=1.0, bag="")
        for item in records
    ]
    found = RealTrials.of(done)
    assert found.success.tolist() == [True, False, False]
    assert found.left_out == {"stopped over a measurement": 1, "not placed at its start": 1}
    with pytest.raises(ConfigError, match="trials"):
        correct(
            one_point(box),
            RealTrials(theta=np.zeros((0, 9)), success=np.zeros(0, bool), uniform=np.zeros(0, bool), left_out={}),
        )


def one_point(box: Box) -> SuccessModel:
    dim = len(box.free)
    return SuccessModel(
        inputs=np.full((1, dim), 0.5),
        rates=np.array([0.8]),
        noise_variance=np.array([0.1]),
        prior_mean=0.8,
        amplitude=0.2,
        length_scales=np.full(dim, 0.5),
        box=box,
    )


def test_the_command_writes_a_bundle_with_its_parent_and_counts(
    tmp_path: Path, box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    bundles = {name: tiny_bundle(tmp_path / name, task, name=name) for name in ("base", "refined")}
    conditions = named_conditions(("base", "refined"), bundles)
    design, key = draw_design(conditions, blocks=12, seed=1, stopping="fixed", from_percent=70, detect_points=20)
    folder = tmp_path / "evaluation"
    save_design(folder, design, key)
    words = ["--trials", str(folder), "--bundle", str(bundles["refined"]), "--out", str(tmp_path / "new")]
    rng = np.random.default_rng(0)
    with contextlib.closing(Journal(folder, design.hash())) as journal:
        for trial in design.trials:
            won = key.conditions[trial.code].name == "base" or trial.block % 2 == 0
            theta = tuple(box.uniform(1, rng)[0])
            journal.end(trial.number, journal.begin(trial.number), record(trial, won, theta=theta), seconds=1.0)
        with pytest.raises(ConfigError, match="covered"):
            main(words)
        journal.unblind()
    assert main(words) == 0
    new, old = load_bundle(tmp_path / "new"), load_bundle(bundles["refined"])
    assert new.policy_onnx == old.policy_onnx and new.task.hash() == old.task.hash()
    refit = new.manifest["provenance"]["refit"]
    assert refit["parent"] == hash_bundle(bundles["refined"]) and refit["used"] == {"k": 6, "n": 12}
    assert not refit["smooth_error"]
    shown = capsys.readouterr().out
    assert "6/12" in shown and "overall rate from uniform starts" in shown
