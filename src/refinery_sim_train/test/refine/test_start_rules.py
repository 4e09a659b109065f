import numpy as np
import pytest

from refinery_sim_train.refine.mixture_fit import MixtureFitSpec
from refinery_sim_train.refine.start_rules import StartSpec, fit_start_rules
from refinery_sim_train.refine.success_fit import SuccessFitSpec, fit_success_model


def truth(box, theta):
    return np.where(box.to_unit(theta)[:, -1] < 0.4, 0.5, 0.98)


@pytest.fixture(scope="module")
def rules(task):
    box, rng = task.initial_state.deployed, np.random.default_rng(0)
    theta = box.uniform(1000, rng)
    success = rng.random(1000) < truth(box, theta)
    model = fit_success_model(box, theta, success, SuccessFitSpec(search_points=200), 0)
    return fit_start_rules(box, theta, success, model, MixtureFitSpec(max_components=3, folds=2), StartSpec(), 0)


@pytest.mark.parametrize("name", ["uniform", "best_cell", "resampled", "mixture", "superlevel", "model_top"])
def test_every_rule_draws_inside_the_box_and_repeats(task, rules, name):
    box, draw = task.initial_state.deployed, rules.draws[name]
    theta = draw(300, np.random.default_rng(3))
    assert theta.shape == (300, 9) and box.contains(theta).all()
    assert np.array_equal(theta, draw(300, np.random.default_rng(3)))


def test_rules_that_know_failures_beat_the_papers_mixture(task, rules):
    box = task.initial_state.deployed
    rate = {name: truth(box, draw(2000, np.random.default_rng(4))).mean() for name, draw in rules.draws.items()}
    assert rate["superlevel"] > 0.95 and rate["model_top"] > 0.95
    assert rate["superlevel"] > rate["mixture"] >= rate["uniform"] - 0.02


def test_the_shippable_mixture_leaves_the_robot_a_choice(task, rules):
    box = task.initial_state.deployed
    spread = box.to_unit(rules.draws["superlevel"](2000, np.random.default_rng(5))).std(axis=0) * np.sqrt(12)
    assert np.all(spread[:-1] > 0.3)
