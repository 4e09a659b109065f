"""Cells of the calibration experiment: conditions are paired, and what is learnt is the cell's own error."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from experiments.calibration.__main__ import spans
from experiments.calibration.cells import CONDITIONS, Condition, Trials, run_cells
from experiments.calibration.plot import drawn
from refinery.paths import config_file
from refinery.task import load_task
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.weights import shipped_base


def test_conditions_share_their_draws_and_learning_lessens_the_error() -> None:
    task = load_task(config_file("tasks", "t_post"))
    env, agent = make_env(task, 16, threads=1), Agent.load(shipped_base(task))
    without = run_cells(env, agent, Condition(name="without", learns=False), trials=4, seed=3)
    learning = run_cells(env, agent, Condition(name="learning"), trials=4, seed=3)
    # Nothing is known before the first insertion.
    np.testing.assert_array_equal(without.won[0], learning.won[0])
    np.testing.assert_array_equal(without.left_m[0], learning.left_m[0])
    np.testing.assert_array_equal(np.diff(without.left_m, axis=0), 0.0)
    assert without.won.shape == (4, 16) and without.won.any()
    assert learning.left_m[-1].mean() < 0.7 * without.left_m[-1].mean()
    # A retry follows a reported failure only, so that next to nothing that was won is lost by it.
    assert without.won_retried.sum() >= without.won.sum()


def some_trials() -> Trials:
    won = np.zeros((50, 4), dtype=bool)
    won[1:5] = True
    return Trials(won=won, won_retried=np.ones_like(won), left_m=np.full((50, 4), 1e-3))


def test_spans_cover_all_trials_once() -> None:
    rows = spans(some_trials())
    assert list(rows) == ["1", "2-5", "6-25", "26-30", "31-50"]
    assert rows["2-5"]["rate"] == 1 and rows["1"]["rate"] == 0 and rows["1"]["left_mm"] == 1
    retried = rows["1"]["with_retry"]
    # Four of four is not certain, though no cell differs from another.
    assert retried["k"] == retried["n"] == 4 and 0.3 < retried["interval"][0] < 0.7 and retried["interval"][1] == 1


def test_the_plot_holds_every_task() -> None:
    figures = {"cells": 4, "conditions": {condition.name: spans(some_trials()) for condition in CONDITIONS}}
    with Image.open(io.BytesIO(drawn({"one": figures, "other": figures}))) as image:
        assert image.format == "PNG" and image.width > image.height
