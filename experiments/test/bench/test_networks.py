"""The networks that are timed are the deployed ones: same sizes, and torch computes the same as ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from experiments.bench.networks import HIDDEN, LSTM_UNITS, onnx_policy, random_network
from refinery.bundle import OnnxPolicy
from refinery.observation import OBSERVATION_SIZE


def test_the_sizes_are_those_of_the_shipped_policies() -> None:
    spec = pytest.importorskip("refinery_sim_train.learn.agent").AgentSpec()
    assert spec.hidden == HIDDEN


@pytest.mark.parametrize("units", [0, LSTM_UNITS])
def test_a_network_is_a_policy_that_does_next_to_nothing(units: int) -> None:
    policy = OnnxPolicy(onnx_policy(random_network(lstm_units=units)))
    assert (policy.observation_size, policy.action_size, policy.recurrent) == (OBSERVATION_SIZE, 6, units > 0)
    action = policy(np.ones((1, OBSERVATION_SIZE), np.float32))
    assert np.all(np.abs(action) < 0.05) and np.any(action != 0.0)


def test_the_servo_drives_home() -> None:
    policy = OnnxPolicy(onnx_policy(random_network(), servo_gain=1.0))
    obs = np.zeros((1, OBSERVATION_SIZE), np.float32)
    obs[0, 2], obs[0, 8] = 0.5, -0.25
    np.testing.assert_allclose(policy(obs)[0], [0, 0, -0.5, 0, 0, 0.25], atol=0.02)


def test_torch_computes_what_onnx_runtime_computes() -> None:
    torch = pytest.importorskip("torch")
    from experiments.bench.torch_step import build

    network = random_network(lstm_units=16, seed=3)
    policy, step = OnnxPolicy(onnx_policy(network)), build(network)
    rng = np.random.default_rng(0)
    before = torch.get_num_threads()
    for _ in range(5):
        obs = rng.normal(size=(1, OBSERVATION_SIZE)).astype(np.float32)
        np.testing.assert_allclose(step(obs), policy(obs), atol=1e-6)
    torch.set_num_threads(before)


def test_the_graph_has_a_real_lstm() -> None:
    model = onnx.load_model_from_string(onnx_policy(random_network(lstm_units=LSTM_UNITS)))
    assert "LSTM" in [node.op_type for node in model.graph.node]
