from dataclasses import replace

import numpy as np
import pytest

from refinery.trained_with import TrainedWith
from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.learn.ppo import PpoSpec, PpoTraining
from refinery_sim_train.refine.sources import UniformSource

SPEC = PpoSpec(num_steps_per_env=5, critic_warmup=0, num_learning_epochs=2, num_mini_batches=2)


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
    run = training(env, agent, PpoSpec(num_steps_per_env=5, critic_warmup=9, num_learning_epochs=1, num_mini_batches=2))
    progress = run.iterate(UniformSource(env.task.initial_state.trained))
    assert np.array_equal(weights(agent), before) and progress.kl == 0.0
    assert not np.array_equal(critic.numpy(), agent.critic.mlp[0].weight.detach().numpy())


@pytest.mark.parametrize("lstm", [0, 16])
def test_a_spent_divergence_ends_the_update(env, lstm):
    source = UniformSource(env.task.initial_state.trained)
    eager = PpoSpec(
        num_steps_per_env=5, critic_warmup=0, num_learning_epochs=8, num_mini_batches=4, learning_rate=3e-3, max_kl=1e-3
    )
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
    run = training(env, agent, PpoSpec(num_steps_per_env=5, num_learning_epochs=1, num_mini_batches=2, final_std=0.05))
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


@pytest.mark.parametrize(("lstm", "kept_noise"), [(0, 0.0), (16, 0.8)])
def test_training_repeats_and_goes_on_from_a_snapshot_to_the_bit(env, lstm, kept_noise):
    source, spec = UniformSource(env.task.initial_state.trained), replace(SPEC, noise_correlation=kept_noise)
    whole = training(env, small_agent(lstm), spec)
    for _ in range(4):
        whole.iterate(source)
    first = training(env, small_agent(lstm), spec)
    for _ in range(2):
        first.iterate(source)
    kept = {key: np.array(value) for key, value in first.snapshot().items()}
    first.iterate(source)  # what a kill would lose
    again = training(env, small_agent(lstm), spec)
    again.restore(kept)
    for _ in range(2):
        again.iterate(source)
    assert again.env_steps == whole.env_steps
    assert np.array_equal(weights(again.agent), weights(whole.agent))


def test_noise_persists_from_step_to_step_with_the_spread_it_should_have(env):
    def noise(correlation):
        run = training(env, spec=replace(SPEC, num_steps_per_env=20, noise_correlation=correlation))
        run.iterate(UniformSource(env.task.initial_state.trained))
        storage = run._algorithm.storage
        mean, std = storage.distribution_params
        return ((storage.actions - mean) / std).numpy(), storage

    for correlation in (0.0, 0.9):
        z, storage = noise(correlation)
        assert abs(z.std() - 1) < 0.1
        assert abs(np.corrcoef(z[:4].ravel(), z[1:5].ravel())[0, 1] - correlation) < 0.1
        # The stored probability is of the action that was taken.
        _, std = storage.distribution_params
        expected = -0.5 * (z**2).sum(-1) - np.log(std.numpy()).sum(-1) - 3 * np.log(2 * np.pi)
        assert np.allclose(storage.actions_log_prob[..., 0].numpy(), expected, atol=1e-3)


def seated(monkeypatch, env, spec, steps):
    """Train in an environment where every plug is seated from the first step; rewards and ends of a rollout."""
    real = env.step

    def step(action):
        _, errors, strict, loose = real(action)
        return np.full(env.count, 2.0), errors, np.ones_like(strict), loose

    monkeypatch.setattr(env, "step", step)
    run = training(env, spec=replace(spec, num_steps_per_env=steps, num_learning_epochs=1))
    source = Counting(env.task.initial_state.trained)
    run.iterate(source)
    storage = run._algorithm.storage
    return storage.rewards[..., 0].numpy() / spec.reward_scale, storage.dones[..., 0].numpy().astype(bool), source.seen


def test_a_seated_episode_ends_with_what_it_would_have_earned(monkeypatch, env):
    length = env.task.control.episode_steps
    rewards, ends, seen = seated(monkeypatch, env, replace(SPEC, run_out_share=0.0), length)
    # Ends come together, at the first such step after five in the hole.
    assert ends[4].all() and not ends[:4].any()
    left, gamma = length - 5, SPEC.gamma
    worth = 2.0 + sum(2.0 * gamma**k for k in range(1, left + 1)) + SPEC.final_bonus * gamma**left
    assert np.allclose(rewards[4][rewards[4] > 3], worth, rtol=1e-5)
    # The first episodes, most of them cut short on purpose, are not recorded: only their successes would be.
    whole = length // 5 - 1
    assert whole * env.count <= seen <= (whole + 0.4) * env.count


def test_some_episodes_run_out_and_all_do_without_the_stop(monkeypatch, env):
    length = env.task.control.episode_steps
    rewards, never, _ = seated(monkeypatch, env, replace(SPEC, seated_steps=0), length)
    monkeypatch.undo()
    _, some, _ = seated(monkeypatch, env, replace(SPEC, run_out_share=0.5), length)
    # Those that end with the rollout have had a whole episode.
    assert np.allclose(rewards[-1][never[-1]], 2.0 + SPEC.final_bonus) and never[-1].any()
    # Without the stop an environment ends once where it was cut short, and after a whole episode.
    assert never.sum() == env.count and 0.2 < some[4].mean() < 0.8
