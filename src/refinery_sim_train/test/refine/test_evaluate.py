import numpy as np

from refinery_sim_train.refine.evaluate import Outcomes, by_estimate_error, evaluate


def outcomes(error_m, strict):
    n = len(error_m)
    zeros = np.zeros(n)
    return Outcomes(
        theta=np.zeros((n, 9)),
        strict=strict,
        engaged=strict,
        lateral_m=zeros,
        height_m=zeros,
        estimate_error_m=np.asarray(error_m),
    )


def test_every_episode_counts_once_and_the_worst_estimates_are_the_last_group():
    error = np.random.default_rng(0).permutation(np.linspace(0, 1e-3, 400))
    groups = by_estimate_error(outcomes(error, error < 0.95e-3))
    assert [rate.n for _, _, rate in groups] == [100, 100, 100, 80, 20]
    assert [rate.value for _, _, rate in groups] == [1, 1, 1, 1, 0]
    assert np.all(np.diff([low for low, _, _ in groups]) > 0) and groups[-1][1] == 1e-3


def test_equal_errors_are_one_group():
    groups = by_estimate_error(outcomes(np.full(10, 2e-4), np.arange(10) < 7))
    assert sum(rate.n for _, _, rate in groups) == 10 and sum(rate.k for _, _, rate in groups) == 7


def test_the_error_is_the_bias_that_was_drawn(env, agent):
    theta = env.task.initial_state.trained.uniform(100, np.random.default_rng(0))
    found = evaluate(env, agent, theta, seed=1)
    sigma = env.task.noise.estimate_bias_m
    # A Rayleigh variable: its mean is sigma sqrt(pi / 2), its spread 0.66 sigma.
    assert found.estimate_error_m.shape == (100,)
    assert abs(found.estimate_error_m.mean() - sigma * np.sqrt(np.pi / 2)) < 4 * 0.66 * sigma / 10
