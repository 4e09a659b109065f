import numpy as np
import pytest

from refinery.errors import RefineryError
from refinery_sim_train.refine.mixture_fit import MixtureFitSpec, fit_mixture


def test_puts_its_mass_where_the_successes_are(task):
    box = task.initial_state.deployed
    rng = np.random.default_rng(0)
    theta = box.uniform(1500, rng)
    success = np.abs(box.to_unit(theta)[:, -1] - 0.5) < 0.2
    mixture, selection = fit_mixture(box, theta, success, MixtureFitSpec(max_components=3), 0)
    draws = box.to_unit(mixture.sample(2000, rng))[:, -1]
    assert (np.abs(draws - 0.5) < 0.25).mean() > 0.85
    assert str(selection["components"]) in selection["held_out_log_likelihood"]


def test_two_islands_get_two_components(task):
    box = task.initial_state.deployed
    theta = box.uniform(3000, np.random.default_rng(0))
    yaw = box.to_unit(theta)[:, -1]
    mixture, _ = fit_mixture(box, theta, (yaw < 0.15) | (yaw > 0.85), MixtureFitSpec(max_components=3), 0)
    assert len(mixture.weights) >= 2


def test_too_few_successes_say_what_to_do(task):
    box = task.initial_state.deployed
    theta = box.uniform(100, np.random.default_rng(0))
    with pytest.raises(RefineryError, match="evaluate more episodes"):
        fit_mixture(box, theta, np.arange(100) < 3, MixtureFitSpec(), 0)
