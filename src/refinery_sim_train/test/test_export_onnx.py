from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from refinery.bundle import OnnxPolicy
from refinery.errors import RefineryError
from refinery.observation import OBSERVATION_SIZE
from refinery.trained_with import TrainedWith
from refinery_sim_train import export_onnx
from refinery_sim_train.learn.agent import Agent, AgentSpec, pack

EPISODES = np.random.default_rng(0).normal(size=(30, 10, OBSERVATION_SIZE)).astype(np.float32)


def learn_normaliser(agent):
    seen = 3 * EPISODES.reshape(-1, OBSERVATION_SIZE) + 1
    agent.actor.update_normalization(pack(seen, np.zeros((len(seen), 1), np.float32)))


def test_the_exported_policy_is_the_trained_one_normaliser_included(agent, task):
    learn_normaliser(agent)
    content, worst = export_onnx.export_policy(agent, task, EPISODES)
    assert worst <= export_onnx.PARITY_TOLERANCE
    policy = OnnxPolicy(content)
    for row in EPISODES[:, 0]:
        assert np.allclose(policy(row[None]), np.clip(agent.act(row[None]), -1, 1), atol=1e-5)
    assert policy.metadata["task_hash"] == task.hash()
    # The exporter notes for every node which line of which file it comes from.
    assert b"site-packages" not in content and str(Path(export_onnx.__file__).parents[3]).encode() not in content


def test_the_exported_lstm_remembers_as_the_trained_one_and_forgets_at_a_reset(task):
    agent = Agent(AgentSpec(hidden=(32, 16), lstm=24), seed=3)
    agent.trained_with = TrainedWith.of(task)
    learn_normaliser(agent)
    content, worst = export_onnx.export_policy(agent, task, EPISODES)
    assert worst <= export_onnx.PARITY_TOLERANCE
    policy = OnnxPolicy(content)
    assert policy.recurrent
    first = [policy(row[None]) for row in EPISODES[:, 0]]
    expected = [np.clip(agent.act(row[None]), -1, 1) for row in EPISODES[:, 0]]
    assert np.allclose(first, expected, atol=1e-5)
    assert not np.allclose(policy(EPISODES[:1, 0]), first[0], atol=1e-5)
    policy.reset()
    assert np.array_equal(policy(EPISODES[:1, 0]), first[0])


@pytest.mark.parametrize("lstm", [0, 16])
def test_clip_and_clock_are_exported(lstm, task):
    agent = Agent(AgentSpec(hidden=(32, 16), lstm=lstm, observation_clip=4.0, clock=(0.2, 8 / 75)), seed=3)
    agent.trained_with = TrainedWith.of(task)
    learn_normaliser(agent)
    # Far outside, and through an episode's time.
    episodes = 30 * EPISODES
    episodes[:, :, -1] = np.linspace(1, 0, len(episodes))[:, None]
    content, worst = export_onnx.export_policy(agent, task, episodes)
    assert worst <= export_onnx.PARITY_TOLERANCE
    exported = OnnxPolicy(content)
    for row in episodes[:, 0]:
        assert np.allclose(exported(row[None]), np.clip(agent.act(row[None]), -1, 1), atol=1e-5)
    # The gate sees a clip that is missing.
    unclipped = agent.extended(replace(agent.spec, observation_clip=0.0), seed=0)
    assert export_onnx.parity_error(content, unclipped, episodes) > 100 * export_onnx.PARITY_TOLERANCE


def test_a_wrong_export_does_not_pass_the_gate(agent, task, monkeypatch):
    real = torch.onnx.export

    def spoil(module, *args, **kwargs):
        with torch.no_grad():
            kept = module.actor.mlp[0].weight.clone()
            module.actor.mlp[0].weight.mul_(1.01)
        result = real(module, *args, **kwargs)
        with torch.no_grad():
            module.actor.mlp[0].weight.copy_(kept)
        return result

    monkeypatch.setattr(torch.onnx, "export", spoil)
    with pytest.raises(RefineryError, match="no bundle was written"):
        export_onnx.export_policy(agent, task, EPISODES)
