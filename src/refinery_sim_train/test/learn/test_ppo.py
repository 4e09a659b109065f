import json

import numpy as np

from refinery_sim_train.learn.ppo import PpoSpec, train_ppo


def train(agent, env, tmp_path, warmup, seed=0):
    box = env.task.initial_state.trained
    seen = []
    log = tmp_path / f"log_{warmup}_{seed}.jsonl"
    steps = train_ppo(
        agent,
        env,
        lambda count, rng: box.uniform(count, rng),
        PpoSpec(steps_per_iteration=5, critic_warmup=warmup, epochs=1, mini_batches=2),
        env_steps=2 * 5 * env.count,
        seed=seed,
        report=seen.append,
        log=log,
    )
    return steps, seen, [json.loads(line) for line in log.read_text().splitlines()]


def test_counts_steps_and_logs_every_iteration(agent, env, tmp_path):
    steps, seen, rows = train(agent, env, tmp_path, warmup=0)
    assert steps == 10 * env.count and [p.env_steps for p in seen] == [5 * env.count, 10 * env.count]
    assert [row["env_steps"] for row in rows] == [p.env_steps for p in seen]


def test_warm_up_leaves_the_actor_alone_and_trains_the_critic(agent, env, tmp_path):
    x = np.random.default_rng(0).normal(size=(4, agent.actor.obs_dim)).astype(np.float32)
    before, critic = agent.act(x), agent.critic.mlp[0].weight.detach().clone()
    train(agent, env, tmp_path, warmup=9)
    assert np.array_equal(agent.act(x), before)
    assert not np.array_equal(critic.numpy(), agent.critic.mlp[0].weight.detach().numpy())


def test_training_changes_the_actor_and_repeats_to_the_bit(env, tmp_path):
    from refinery_sim_train.learn.agent import Agent, AgentSpec

    x = np.random.default_rng(0).normal(size=(4, 28)).astype(np.float32)
    results = []
    for run in range(2):
        (tmp_path / str(run)).mkdir()
        agent = Agent(AgentSpec(hidden=(32, 16)), seed=0)
        before = agent.act(x)
        train(agent, env, tmp_path / str(run), warmup=0)
        results.append(agent.act(x))
        assert not np.array_equal(before, results[-1])
    assert np.array_equal(*results)
