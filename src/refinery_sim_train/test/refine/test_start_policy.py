import numpy as np
import pytest

from refinery_sim_train.refine.evaluate import Outcomes
from refinery_sim_train.refine.start_policy import clip_pays, clipped, ready_to_learn

X = 20 * np.random.default_rng(0).normal(size=(50, 28)).astype(np.float32)


def outcomes(strict):
    n = len(strict)
    zeros = np.zeros(n)
    return Outcomes(
        theta=np.zeros((n, 9)),
        strict=np.asarray(strict, dtype=bool),
        engaged=np.asarray(strict, dtype=bool),
        lateral_m=zeros,
        height_m=zeros,
        estimate_error_m=zeros,
    )


@pytest.mark.parametrize(("won", "lost", "pays"), [(6, 0, True), (5, 0, False), (20, 8, True), (20, 18, False)])
def test_a_clip_is_taken_only_if_the_paired_test_says_so(won, lost, pays):
    base = [False] * won + [True] * lost + [True] * 50
    with_clip = [True] * won + [False] * lost + [True] * 50
    assert clip_pays(outcomes(base), outcomes(with_clip))[0] is pays
    assert not clip_pays(outcomes(with_clip), outcomes(base))[0]


def test_a_clip_acts_far_outside_only_and_is_not_tried_twice(agent):
    agent.actor.obs_normalizer.count += 1
    found = clipped(agent, 4.0)
    near = np.clip(X, -3.9, 3.9)
    assert np.array_equal(found.act(near), agent.act(near)) and not np.allclose(found.act(X), agent.act(X))
    # The normaliser adds 0.01 to the standard deviation of 1.
    assert np.allclose(found.act(X), found.act(np.clip(X, -4.04, 4.04)), atol=1e-6)
    assert found.trained_with == agent.trained_with
    assert clipped(agent, 0.0) is None and clipped(found, 4.0) is None


def test_a_clock_and_a_memory_change_nothing_until_they_have_learnt(agent):
    ready = ready_to_learn(agent, clock_steps=(15.0, 8.0), lstm=16, episode_steps=60, seed=1)
    assert ready.spec.clock == (0.25, 8 / 60) and ready.spec.lstm == 16
    assert np.allclose(ready.act(X), agent.act(X), atol=1e-6)
    again = ready_to_learn(ready, clock_steps=(3.0,), lstm=8, episode_steps=10, seed=2)
    assert again.spec == ready.spec
