import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery_sim_train.refine.acquire import ACQUISITIONS, Acquirer, AcquisitionSpec, score
from refinery_sim_train.refine.success_fit import SuccessFitSpec, fit_success_model


@pytest.fixture(scope="module")
def fitted(task):
    box = task.initial_state.deployed
    rng = np.random.default_rng(0)
    theta = box.uniform(600, rng)
    success = rng.random(600) < np.where(box.to_unit(theta)[:, -1] < 0.25, 0.15, 0.97)
    return box, fit_success_model(box, theta, success, SuccessFitSpec(search_points=200), 0)


@pytest.mark.parametrize("function", ACQUISITIONS)
def test_every_function_seeks_the_bad_region_and_stays_diverse(fitted, function):
    box, model = fitted
    theta = Acquirer(model, box, AcquisitionSpec(function=function, uniform_share=0.0), 0)(
        1000, np.random.default_rng(1)
    )
    assert box.contains(theta).all()
    assert (box.to_unit(theta)[:, -1] < 0.3).mean() > 0.45
    # The other dimensions are not to collapse: at least two thirds of a uniform spread.
    assert np.all(box.to_unit(theta)[:, :-1].std(axis=0) > 0.66 * np.sqrt(1 / 12))


def test_uniform_share_is_kept(fitted):
    box, model = fitted
    theta = Acquirer(model, box, AcquisitionSpec(uniform_share=1.0), 0)(4000, np.random.default_rng(1))
    assert abs((box.to_unit(theta)[:, -1] < 0.25).mean() - 0.25) < 0.03


@pytest.mark.parametrize("function", ACQUISITIONS)
def test_scores_are_finite_and_not_negative(fitted, function):
    box, model = fitted
    values = score(model, box.uniform(500, np.random.default_rng(2)), AcquisitionSpec(function=function))
    assert np.all(np.isfinite(values)) and np.all(values >= 0)


def test_unknown_function_is_named():
    with pytest.raises(ConfigError, match="ucb, pi, ei, uncertainty"):
        AcquisitionSpec(function="ucbb")
