import numpy as np
import pytest

from refinery.statistics import held_out_bits
from refinery_sim_train.refine.success_fit import SuccessFitSpec, cross_validated, fit_success_model

SPEC = SuccessFitSpec()


def outcomes(task, probability, n=720, seed=0):
    box = task.initial_state.deployed
    rng = np.random.default_rng(seed)
    theta = box.uniform(n, rng)
    return box, theta, rng.random(n) < probability(box.to_unit(theta))


def test_finds_a_bad_region_and_the_dimension_that_causes_it(task):
    box, theta, success = outcomes(task, lambda u: np.where(u[:, -1] < 0.3, 0.2, 0.95))
    model = fit_success_model(box, theta, success, SPEC, 0)
    fresh = box.uniform(2000, np.random.default_rng(9))
    truth = np.where(box.to_unit(fresh)[:, -1] < 0.3, 0.2, 0.95)
    assert np.corrcoef(model.predict(fresh).mean, truth)[0, 1] > 0.9
    assert np.argmin(model.length_scales) == len(box.free) - 1
    assert held_out_bits(success, *cross_validated(box, theta, success, SPEC, 0)) > 0.15


def test_invents_no_structure_where_there_is_none(task):
    box, theta, success = outcomes(task, lambda u: np.full(len(u), 0.85))
    assert abs(held_out_bits(success, *cross_validated(box, theta, success, SPEC, 0))) < 0.03
    model = fit_success_model(box, theta, success, SPEC, 0)
    assert model.predict(box.uniform(500, np.random.default_rng(1))).mean.std() < 0.06


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_alike_is_no_problem(task, value):
    box, theta, _ = outcomes(task, lambda u: np.full(len(u), 0.5), n=100)
    model = fit_success_model(box, theta, np.full(100, bool(value)), SPEC, 0)
    assert abs(model.predict(theta).mean.mean() - value) < 0.1
