"""Sets of episodes to measure with: the same distribution as training's, its tail in every set."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from refinery_sim_train.env.episodes import BLOCK, draw_episode_set, draw_episodes
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.refine.evaluate import evaluate
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.settings import read_task

TASK = read_task("peg_rect")
TASK = dataclasses.replace(TASK, socket=dataclasses.replace(TASK.socket, friction_range=0.2))


def drawn(count, seed, task=TASK):
    return draw_episode_set(task, np.zeros((count, 9)), seed)


def radius(episodes):
    return np.linalg.norm((episodes.estimate.pos_m - episodes.socket.pos_m)[:, :2], axis=1)


def shares(episodes):
    """How far in their distributions bias and friction are, shape (n, 2)."""
    sigma, socket = TASK.noise.estimate_bias_m, TASK.socket
    friction = stats.uniform(socket.friction - socket.friction_range, 2 * socket.friction_range)
    return np.column_stack([stats.rayleigh(scale=sigma).cdf(radius(episodes)), friction.cdf(episodes.friction)])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(6, 11), st.floats(0.01, 0.99))
def test_every_set_holds_the_tail_that_is_expected(seed, power, quantile):
    n = 2**power
    found = np.sum(shares(drawn(n, seed)) >= quantile, axis=0)
    assert np.all(np.abs(found - n * (1 - quantile)) <= 1 + 1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1, 30), st.floats(0.01, 0.99))
def test_sets_of_other_sizes_are_not_far_from_it(seed, blocks, quantile):
    n = BLOCK * blocks
    found = np.sum(shares(drawn(n, seed)) >= quantile, axis=0)
    # Star discrepancy of a (0, 1)-sequence in base 2.
    assert np.all(np.abs(found - n * (1 - quantile)) <= 1 + np.log2(n) / 3 + 1e-6)


def test_more_episodes_begin_with_those_of_fewer():
    more, fewer = drawn(300, 5), drawn(100, 5)
    for name in ("control_bias_m", "jitter_m", "friction"):
        assert np.array_equal(getattr(more, name)[:100], getattr(fewer, name))
    for name in ("socket", "estimate"):
        assert np.array_equal(getattr(more, name).pos_m[:100], getattr(fewer, name).pos_m)
        assert np.array_equal(getattr(more, name).quat_xyzw[:100], getattr(fewer, name).quat_xyzw)


def columns(episodes):
    bias = episodes.estimate.pos_m - episodes.socket.pos_m
    return {
        "bias": bias[:, :2],
        "angle": np.arctan2(bias[:, 1], bias[:, 0])[:, None],
        "yaw bias": (episodes.estimate.rotation * episodes.socket.rotation.inv()).as_rotvec()[:, 2:],
        "socket": episodes.socket.pos_m[:, :2],
        "friction": episodes.friction[:, None],
        "control": episodes.control_bias_m,
        "jitter": episodes.jitter_m[:, 3],
    }


def test_measuring_is_distributed_as_training():
    many = [drawn(64, seed) for seed in range(60)]
    theirs = columns(draw_episodes(TASK, np.zeros((3840, 9)), np.random.default_rng(0)))
    for name, values in {key: np.vstack([columns(one)[key] for one in many]) for key in theirs}.items():
        for mine, other in zip(values.T, theirs[name].T, strict=True):
            assert stats.ks_2samp(mine, other).pvalue > 1e-3, name
    found = shares(draw_episodes(TASK, np.zeros((4000, 9)), np.random.default_rng(1)))
    assert all(stats.kstest(column, "uniform").pvalue > 1e-3 for column in found.T)


def test_bias_and_friction_are_not_tied_to_each_other_or_to_the_order():
    u = np.vstack([shares(drawn(64, seed)) for seed in range(60)])
    order = np.tile(np.arange(64), 60)
    for pair in ((u[:, 0], u[:, 1]), (u[:, 0], order), (u[:, 1], order)):
        assert abs(stats.spearmanr(*pair).statistic) < 4 / np.sqrt(len(u))


def test_tasks_of_one_seed_have_other_errors():
    one, other = (drawn(512, stream_seed(name, "test", 0)) for name in ("peg_rect", "hexagon"))
    assert abs(np.corrcoef(radius(one), radius(other))[0, 1]) < 4 / np.sqrt(512)
    assert np.array_equal(radius(one), radius(drawn(512, stream_seed("peg_rect", "test", 0))))


@pytest.mark.parametrize("count", [16, 24])
def test_how_many_run_at_once_changes_no_episode(count, env, agent):
    theta = env.task.initial_state.trained.uniform(40, np.random.default_rng(0))
    whole = evaluate(env, agent, theta, seed=3)
    parts = evaluate(make_env(env.task, count), agent, theta, seed=3)
    assert np.array_equal(whole.estimate_error_m, parts.estimate_error_m)
    assert np.allclose(whole.height_m, parts.height_m, atol=1e-6)
