"""Episodes of the training environment repeated on the twin's physics by the node's tick."""

import numpy as np
import pytest

from experiments.twin_pairs.pairs import TwinPairs, run_pairs, twin_episode
from refinery.bundle import load_bundle
from refinery.initial_state import tool_pose
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.statistics import paired_difference_interval
from refinery.tick.guard import Reason
from refinery.tick.recording import Recorder
from refinery.tick.runtime import PolicyRuntime
from refinery_sim_train.cli.export import Args, export
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.shipped_policy import ShippedPolicy
from refinery_sim_train.weights import shipped_base

COUNT = 24


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_bundle(export(Args(preset="smoke", out=tmp_path_factory.mktemp("export"))).bundle)


@pytest.fixture(scope="module")
def profile():
    return load_robot_profile(config_file("robots", "twin"))


def test_the_base_policy_wins_the_same_episodes_both_ways(bundle, profile):
    assert shipped_base(bundle.task).exists()
    pairs = run_pairs(
        make_env(bundle.task, COUNT),
        bundle,
        ShippedPolicy(bundle.policy_path),
        profile.arm_kinematics(),
        profile.home_rad,
        count=COUNT,
        seed=8,
    )
    training, twin = pairs.rates
    # 84 % over the box: 14 of 24 or fewer has a probability of 1 in 250, and each way is the other's check.
    assert training.k > 14 and twin.k > 14
    assert np.mean(pairs.training == pairs.twin) > 0.7
    low, high = paired_difference_interval(pairs.training, pairs.twin)
    assert low <= twin.value - training.value <= high


def test_an_episode_on_the_twin_repeats_to_the_bit(bundle, profile):
    task = bundle.task
    rng = np.random.default_rng(3)
    episodes = draw_episodes(task, task.initial_state.trained.uniform(1, rng), rng)
    goal = tool_pose(episodes.estimate, episodes.theta, task.plug.tool_from_plug)
    joints, _ = profile.arm_kinematics().inverse(goal, profile.home_rad)
    runtime, ticks = PolicyRuntime(bundle), []
    for _ in range(2):
        runtime.recorder = Recorder(task.hash(), runtime.policy.observation_size)
        twin_episode(runtime, episodes, joints[0])
        ticks.append(runtime.recorder.recording())
    assert len(ticks[0].now_s) == task.control.episode_steps
    assert np.array_equal(ticks[0].observation, ticks[1].observation)
    assert np.array_equal(ticks[0].target_pos_m, ticks[1].target_pos_m)


def test_the_pairs_of_some_episodes_keep_their_reasons():
    pairs = TwinPairs(
        training=np.array([True, True, False]),
        twin=np.array([True, False, False]),
        reasons=(Reason.NONE, Reason.WRENCH_LIMIT, Reason.WRENCH_LIMIT),
    )
    assert pairs.stops == {"wrench_limit": 2}
    ran = pairs.of(~pairs.stopped)
    assert ran.stops == {} and ran.training.tolist() == ran.twin.tolist() == [True]
