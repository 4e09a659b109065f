import numpy as np
import pytest

from refinery.errors import RefineryError
from refinery.initial_state import GRASP, theta_of
from refinery.statistics import Rate
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.learn.expert import ExpertSpec, expert_action
from refinery_sim_train.refine.evaluate import evaluate


def episodes(env, seed, theta=None):
    rng = np.random.default_rng(seed)
    theta = env.task.initial_state.deployed.uniform(env.count, rng) if theta is None else theta
    return draw_episodes(env.task, theta, rng)


def roll(env, seed, steps=20):
    env.reset(episodes(env, seed))
    rng = np.random.default_rng(seed + 1)
    trace = []
    for _ in range(steps):
        observation, privileged = env.get_observations()
        reward, *_ = env.step(rng.uniform(-1, 1, (env.count, 6)))
        trace.append(np.hstack([observation, privileged, reward[:, None]]))
    return np.stack(trace)


def test_same_seed_same_trajectory_to_the_bit(env):
    assert np.array_equal(roll(env, 3), roll(env, 3))


def test_threads_do_not_change_the_result(task, env):
    from refinery_sim_train.env.make_env import make_env

    assert np.array_equal(roll(make_env(task, env.count, threads=1), 5, 8), roll(env, 5, 8))


def test_reset_puts_the_plug_where_theta_says(env):
    drawn = episodes(env, 0)
    env.reset(drawn)
    env.get_observations()
    assert np.allclose(theta_of(drawn.estimate, env.plug, drawn.theta[:, GRASP]), drawn.theta, atol=2e-5)


def test_resetting_some_leaves_the_others_alone(env):
    env.reset(episodes(env, 1))
    for _ in range(5):
        env.get_observations()
        env.step(np.zeros((env.count, 6)))
    before = env.measured.pos_m.copy()
    rows = np.array([0, 7])
    env.reset(episodes(env, 2)[rows], rows)
    env.get_observations()
    assert np.array_equal(env.step_index[rows], [0, 0]) and env.step_index[1] == 5
    others = np.setdiff1d(np.arange(env.count), rows)
    assert np.allclose(env.measured.pos_m[others], before[others])


def test_unreachable_states_are_an_error(env):
    theta = env.task.initial_state.deployed.uniform(env.count, np.random.default_rng(0))
    theta[3, 0] = 3.0
    with pytest.raises(RefineryError, match="cannot reach"):
        env.reset(episodes(env, 0, theta))


@pytest.mark.parametrize("kind", ["random", "push"])
def test_a_policy_that_knows_nothing_scores_about_zero(env, kind):
    rng = np.random.default_rng(0)
    down = np.tile([0.0, 0, -1, 0, 0, 0], (env.count, 1))

    class Policy:
        def reset(self):
            pass

        def act(self, observation):
            return down if kind == "push" else rng.uniform(-1, 1, (len(observation), 6))

    theta = env.task.initial_state.deployed.uniform(4 * env.count, np.random.default_rng(1))
    outcomes = evaluate(env, Policy(), theta, seed=2)
    assert outcomes.rate.value <= 0.02, outcomes.rate


def test_the_scripted_search_wins_and_only_inside_the_bore(env):
    env.reset(episodes(env, 4, env.task.initial_state.trained.uniform(env.count, np.random.default_rng(4))))
    for _ in range(env.task.control.episode_steps):
        env.get_observations()
        _, errors, strict, _ = env.step(expert_action(env, ExpertSpec()))
    assert Rate.of(strict).interval[0] > 0.5
    # The farthest a seated plug can stand off the axis is the corner of the clearance.
    assert errors.lateral_m[strict].max() < np.sqrt(2) * env.task.socket.clearance_m + 1e-4


def test_pressing_on_the_plate_stays_under_the_force_bound(env):
    theta = env.task.initial_state.trained.uniform(env.count, np.random.default_rng(0))
    theta[:, 0] = 0.01
    env.reset(episodes(env, 0, theta))
    for _ in range(40):
        env.get_observations()
        env.step(np.tile([0.0, 0, -1, 0, 0, 0], (env.count, 1)))
    stretch = env.decoder.target.pos_m - env.measured.pos_m
    allowed = np.asarray(env.task.control.max_error[:3]) * 1.5 + 1e-3
    assert np.all(np.abs(stretch) <= allowed)
