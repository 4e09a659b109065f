import json

import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery.initial_state import Box
from refinery.success_model import SuccessModel

BOX = Box(low=np.array([-0.01, 0, 0, 0, 0, -1.0, 0, 0, 0]), high=np.array([0.01, 0, 0, 0, 0, 1.0, 0, 0, 0]))


def model(**changes):
    rng = np.random.default_rng(0)
    inputs = rng.uniform(0, 1, (80, 2))
    values = {
        "inputs": inputs,
        "rates": (inputs[:, 1] > 0.5).astype(float),
        "noise_variance": np.full(80, 0.02),
        "prior_mean": 0.5,
        "amplitude": 0.4,
        "length_scales": np.array([2.0, 0.2]),
        "box": BOX,
    }
    return SuccessModel(**(values | changes))


def test_predicts_what_it_was_shown_and_is_unsure_elsewhere():
    m = model()
    low, high = m.predict(BOX.from_unit(np.array([[0.5, 0.1], [0.5, 0.9]]))).mean
    assert low < 0.2 and high > 0.8
    far = model(inputs=np.tile([[0.0, 0.0]], (80, 1)), length_scales=np.array([0.1, 0.1]))
    prediction = far.predict(BOX.from_unit(np.array([[1.0, 1.0]])))
    assert prediction.std[0] == pytest.approx(0.4, abs=1e-6) and prediction.mean[0] == pytest.approx(0.5, abs=1e-6)


def test_probabilities_and_intervals_are_ordered():
    p = model().predict(BOX.uniform(200, np.random.default_rng(1)))
    assert np.all((p.low >= 0) & (p.low <= p.mean) & (p.mean <= p.high) & (p.high <= 1))


def test_agrees_with_scikit_learn():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel

    m = model()
    kernel = ConstantKernel(m.amplitude**2, "fixed") * RBF(m.length_scales, "fixed")
    reference = GaussianProcessRegressor(kernel, alpha=m.noise_variance, optimizer=None)
    reference.fit(m.inputs, m.rates - m.prior_mean)
    theta = BOX.uniform(50, np.random.default_rng(2))
    mean, std = reference.predict(BOX.to_unit(theta), return_std=True)
    p = m.predict(theta)
    assert np.allclose(p.mean, np.clip(m.prior_mean + mean, 0, 1), atol=1e-8) and np.allclose(p.std, std, atol=1e-6)


def test_json_round_trip():
    m = model()
    again = SuccessModel.from_json(json.loads(json.dumps(m.to_json())), BOX)
    theta = BOX.uniform(20, np.random.default_rng(1))
    assert np.allclose(again.predict(theta).mean, m.predict(theta).mean)


@pytest.mark.parametrize(
    "changes",
    [
        {"rates": np.zeros(3)},
        {"noise_variance": np.zeros(80)},
        {"length_scales": np.array([1.0, -1.0])},
        {"prior_mean": 1.5},
        {"inputs": np.full((80, 2), np.nan)},
    ],
)
def test_impossible_models_are_refused(changes):
    with pytest.raises(ConfigError):
        model(**changes)
