import numpy as np
import pytest
import torch

from refinery.bundle import OnnxPolicy
from refinery.errors import RefineryError
from refinery.observation import OBSERVATION_SIZE
from refinery_sim_train import export_onnx
from refinery_sim_train.learn.agent import pack

OBSERVATIONS = np.random.default_rng(0).normal(size=(300, OBSERVATION_SIZE)).astype(np.float32)


def test_the_exported_policy_is_the_trained_one_normaliser_included(agent, task):
    agent.actor.update_normalization(pack(3 * OBSERVATIONS + 1, np.zeros((300, 1), np.float32)))
    content, worst = export_onnx.export_policy(agent, task, OBSERVATIONS)
    assert worst <= export_onnx.PARITY_TOLERANCE
    policy = OnnxPolicy(content)
    for row in OBSERVATIONS[:20]:
        assert np.allclose(policy(row[None]), np.clip(agent.act(row[None]), -1, 1), atol=1e-5)
    assert policy.metadata["task_hash"] == task.hash()


def test_a_wrong_export_does_not_pass_the_gate(agent, task, monkeypatch):
    real = torch.onnx.export

    def spoil(module, *args, **kwargs):
        with torch.no_grad():
            kept = module.mlp[0].weight.clone()
            module.mlp[0].weight.mul_(1.01)
        result = real(module, *args, **kwargs)
        with torch.no_grad():
            module.mlp[0].weight.copy_(kept)
        return result

    monkeypatch.setattr(torch.onnx, "export", spoil)
    with pytest.raises(RefineryError, match="no bundle was written"):
        export_onnx.export_policy(agent, task, OBSERVATIONS)
