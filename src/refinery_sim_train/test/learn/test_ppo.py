from dataclasses import replace

import numpy as np
import pytest

from refinery.trained_with import TrainedWith
from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.learn.ppo import PpoSpec, PpoTraining
from refinery_sim_train.refine.sources import UniformSource

SPEC = PpoSpec(steps_per_iteration=5, critic_warmup=0, epochs=2, mini_batches=2)


class Counting(UniformSource):
    def __init__(self, box):
        super().__init__(box)
        self.seen = 0

    def observe(self, theta, success):
        assert theta.shape == (len(success), 9)
        self.seen += len(success)


def small_agent(lstm=0):
    return Agent(AgentSpec(hidden=(32, 16), lstm=lstm), seed=0)


def weights(agent):
    return np.concatenate([p.detach().numpy().ravel() for p in agent.actor.parameters()])


def training(env, agent=None, spec=SPEC, seed=0):
    return PpoTraining(agent or small_agent(), env, spec, iterations=4, seed=seed)


def test_counts_steps_and_iterations(env):
    run = training(env)
    source = UniformSource(env.task.initial_state.trained)
    seen = [run.iterate(source) for _ in range(2)]
    assert [p.env_steps for p in seen] == [5 * env.count, 10 * env.count]
    assert [p.iteration for p in seen] == [1, 2] and run.env_steps == 10 * env.count


def test_the_source_hears_of_full_episodes_only(env):
    source = Counting(env.task.initial_state.trained)
    run = training(env)
    for _ in range(env.task.control.episode_steps // 5 - 1):
        run.iterate(source)
    # The first episodes are cut short: before the length of one has passed none can have been a full one.
    assert source.seen == 0
    for _ in range(env.task.control.episode_steps // 5 + 2):
        run.iterate(source)
    assert source.seen >= env.count


@pytest.mark.parametrize("lstm", [0, 16])
def test_warm_up_leaves_the_actor_alone_and_trains_the_critic(env, lstm):
    agent = small_agent(lstm)
    before, critic = weights(agent), agent.critic.mlp[0].weight.detach().clone()
    run = training(env, agent, PpoSpec(steps_per_iteration=5, critic_warmup=9, epochs=1, mini_batches=2))
    progress = run.iterate(UniformSource(env.task.initial_state.trained))
    assert np.array_equal(weights(agent), before) and progress.kl == 0.0
    assert not np.array_equal(critic.numpy(), agent.critic.mlp[0].weight.detach().numpy())


@pytest.mark.parametrize("lstm", [0, 16])
def test_a_spent_divergence_ends_the_update(env, lstm):
    source = UniformSource(env.task.initial_state.trained)
    eager = PpoSpec(steps_per_iteration=5, critic_warmup=0, epochs=8, mini_batches=4, learning_rate=3e-3, max_kl=1e-3)
    agent = small_agent(lstm)
    # A normaliser that already knows its observations stays: the update's step is all that moves the policy.
    agent.actor.obs_normalizer.count += 100
    before = weights(agent)
    progress = training(env, agent, spec=eager).iterate(source)
    assert progress.epochs < 8
    # The epoch that spent it went too far, so a part of the step was taken back.
    assert 0.0 < progress.kl <= 1e-3 and progress.kept < 1.0
    assert not np.array_equal(weights(agent), before)


def test_noise_and_rate_shrink_to_what_is_deployed(env):
    agent = small_agent()
    run = training(env, agent, PpoSpec(steps_per_iteration=5, epochs=1, mini_batches=2, final_std=0.05))
    source = UniformSource(env.task.initial_state.trained)
    stds = []
    for _ in range(4):
        run.iterate(source)
        stds.append(agent.action_std)
    assert np.isclose(stds[0], agent.spec.action_std) and np.isclose(stds[-1], 0.05) and np.all(np.diff(stds) < 0)


def test_weights_say_what_they_were_trained_with_once_they_were(env):
    agent = small_agent()
    elsewhere = replace(env.task.control, stiffness=(1.0,) * 6)
    agent.trained_with = replace(TrainedWith.of(env.task), control=elsewhere)
    run = training(env, agent, replace(SPEC, critic_warmup=1))
    source = UniformSource(env.task.initial_state.trained)
    run.iterate(source)
    assert agent.trained_with.control == elsewhere, "the critic alone has learnt"
    warm = {key: np.array(value) for key, value in run.snapshot().items()}
    run.iterate(source)
    assert agent.trained_with == TrainedWith.of(env.task)
    trained = {key: np.array(value) for key, value in run.snapshot().items()}
    for state, control in ((warm, elsewhere), (trained, env.task.control)):
        again = training(env, small_agent())
        again.restore(state)
        assert again.agent.trained_with.control == control


def test_the_normaliser_of_a_working_actor_stays(env):
    agent = small_agent()
    agent.actor.obs_normalizer.count += 100
    mean = agent.actor.obs_normalizer.mean.numpy().copy()
    training(env, agent).iterate(UniformSource(env.task.initial_state.trained))
    assert np.array_equal(agent.actor.obs_normalizer.mean.numpy(), mean)


@pytest.mark.parametrize("lstm", [0, 16])
def test_training_repeats_and_goes_on_from_a_snapshot_to_the_bit(env, lstm):
    source = UniformSource(env.task.initial_state.trained)
    whole = training(env, small_agent(lstm))
    for _ in range(4):
        whole.iterate(source)
    first = training(env, small_agent(lstm))
    for _ in range(2):
        first.iterate(source)
    kept = {key: np.array(value) for key, value in first.snapshot().items()}
    first.iterate(source)  # what a kill would lose
    again = training(env, small_agent(lstm))
    again.restore(kept)
    for _ in range(2):
        again.iterate(source)
    assert again.env_steps == whole.env_steps
    assert np.array_equal(weights(again.agent), weights(whole.agent))
