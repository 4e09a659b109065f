"""The refit's demonstration: the cell errs as it is told, nothing repeats otherwise, figures count pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.refit.cell import CellErrors, TrialCell
from experiments.refit.figures import figures
from refinery.bundle import load_bundle
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.task import load_task
from refinery.testing.bundles import servo_policy, tiny_bundle
from refinery_sim_train.env.episodes import draw_episodes

ERRORS = CellErrors(friction=0.7, bias_m=(0.0005, -0.0002), yaw_rad=0.02)


def test_every_trial_of_the_cell_has_its_friction_and_its_error_of_the_estimate() -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    theta = task.initial_state.deployed.uniform(3, np.random.default_rng(1))
    drawn = draw_episodes(task, theta, np.random.default_rng(2))
    here = ERRORS.of(drawn)
    np.testing.assert_array_equal(here.friction, 0.7)
    error = here.socket.inverse() @ here.estimate
    np.testing.assert_allclose(error.pos_m, np.tile([0.0005, -0.0002, 0.0], (3, 1)), atol=1e-12)
    np.testing.assert_allclose(error.rpy_rad()[:, 2], 0.02, atol=1e-9)
    np.testing.assert_array_equal(here.jitter_m, drawn.jitter_m)


def test_a_trial_repeats_and_another_seed_draws_another_one(tmp_path: Path) -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    bundle = load_bundle(tiny_bundle(tmp_path / "tiny", task, servo_policy()))
    cell = TrialCell(bundle, ERRORS, load_robot_profile(config_file("robots", "twin")))
    theta = task.initial_state.trained.uniform(1, np.random.default_rng(3))[0]
    assert cell.run(5, theta) == cell.run(5, theta)


def block(*won: bool, same: bool = False, said: tuple[float, float] = (0.9, 0.5)) -> dict[str, Any]:
    thetas = ([0.0], [0.0] if same else [1.0], [2.0])
    old, refitted, uniform = ({"won": each, "theta": theta} for each, theta in zip(won, thetas, strict=True))
    return {"old": old, "refitted": refitted, "uniform": uniform | {"said": dict(old=said[0], refitted=said[1])}}


def test_figures_pair_old_and_refitted_starts_and_score_predictions_where_starts_were_uniform() -> None:
    blocks = [block(True, True, False, same=True), block(False, True, False), block(False, True, True)]
    blocks.append(block(True, False, False))
    found = figures(blocks)
    assert (found["only_old"], found["only_refitted"], found["same_start"]) == (1, 2, 1)
    assert found["difference_points"] == 25.0
    low, high = found["interval_points"]
    assert low < 25.0 < high
    assert found["brier_uniform"] == {"old": pytest.approx(0.61), "refitted": pytest.approx(0.25)}
    assert found["brier_difference"][0] == pytest.approx(-0.36)
