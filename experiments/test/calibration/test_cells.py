"""Cells of the calibration experiment: conditions are paired, and what is learnt is the cell's own error."""

from __future__ import annotations

import numpy as np

from experiments.calibration.__main__ import spans
from experiments.calibration.cells import Condition, run_cells
from refinery.paths import config_file
from refinery.task import load_task
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.weights import shipped_base


def test_conditions_share_their_draws_and_learning_lessens_the_error() -> None:
    task = load_task(config_file("tasks", "t_post"))
    env, agent = make_env(task, 16, threads=1), Agent.load(shipped_base(task))
    won, left_m = run_cells(env, agent, Condition(name="without", learns=False), trials=6, seed=3)
    again, taught_m = run_cells(env, agent, Condition(name="learning"), trials=6, seed=3)
    # Nothing is known before three insertions.
    np.testing.assert_array_equal(won[:3], again[:3])
    np.testing.assert_array_equal(left_m[:3], taught_m[:3])
    assert won.shape == (6, 16) and won.any()
    assert taught_m[-1].mean() < left_m[-1].mean()


def test_spans_cover_all_trials_once() -> None:
    won = np.zeros((50, 4), dtype=bool)
    won[1:5] = True
    rows = spans(won, np.full((50, 4), 1e-3))
    assert list(rows) == ["1", "2-5", "6-20", "21-25", "26-30", "31-50"]
    assert rows["2-5"]["rate"] == 1 and rows["1"]["rate"] == 0 and rows["1"]["left_mm"] == 1
