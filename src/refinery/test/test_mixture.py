import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from refinery.errors import ConfigError
from refinery.initial_state import Box
from refinery.mixture import Mixture

BOX = Box(low=np.array([-0.01, -0.01, 0, 0, 0, -1.0, 0, 0, 0]), high=np.array([0.01, 0.01, 0, 0, 0, 1.0, 0, 0, 0]))


def mixture(**changes):
    values = {
        "weights": np.array([0.25, 0.75]),
        "means": np.array([[0.1, 0.5, 0.5], [0.9, 0.5, 0.5]]),
        "covariances": np.stack([np.eye(3) * 0.01] * 2),
        "box": BOX,
    }
    return Mixture(**(values | changes))


def test_samples_stay_in_the_box_and_follow_the_weights():
    theta = mixture().sample(4000, np.random.default_rng(0))
    assert BOX.contains(theta).all()
    right = (theta[:, 0] > 0).mean()
    # Truncation at the wall costs both components alike, so the weights survive it.
    assert abs(right - 0.75) < 0.03


def test_same_seed_same_samples():
    a, b = (mixture().sample(10, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(a, b)


def test_density_is_highest_at_the_heavier_mean():
    heavy = BOX.from_unit(np.array([[0.9, 0.5, 0.5]]))
    light = BOX.from_unit(np.array([[0.1, 0.5, 0.5]]))
    m = mixture()
    assert m.log_likelihood(heavy)[0] - m.log_likelihood(light)[0] == pytest.approx(np.log(3), abs=1e-6)


def test_json_round_trip():
    m = mixture()
    again = Mixture.from_json(json.loads(json.dumps(m.to_json())), BOX)
    theta = BOX.uniform(20, np.random.default_rng(1))
    assert np.allclose(again.log_likelihood(theta), m.log_likelihood(theta))


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.array([0.5, 0.6])},
        {"weights": np.array([np.nan, 1.0])},
        {"means": np.zeros((2, 2))},
        {"covariances": np.zeros((2, 3, 3))},
        {"covariances": np.stack([np.triu(np.ones((3, 3)))] * 2)},
    ],
)
def test_impossible_mixtures_are_refused(changes):
    with pytest.raises(ConfigError):
        mixture(**changes)


def test_a_mixture_outside_its_box_says_so():
    with pytest.raises(ConfigError, match="mass inside"):
        mixture(means=np.full((2, 3), 50.0)).sample(1, np.random.default_rng(0))


@given(st.integers(0, 2**32 - 1))
def test_the_density_is_that_of_a_normal_distribution(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(0.0, 0.3, (3, 3))
    covariance = root @ root.T + 1e-4 * np.eye(3)
    m = mixture(weights=np.ones(1), means=rng.uniform(0, 1, (1, 3)), covariances=(covariance + covariance.T)[None] / 2)
    theta = BOX.uniform(16, rng)
    expected = stats.multivariate_normal.logpdf(BOX.to_unit(theta), m.means[0], m.covariances[0])
    assert np.allclose(m.log_likelihood(theta), expected, rtol=1e-9, atol=1e-9)
