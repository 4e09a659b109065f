import dataclasses
import json

import numpy as np
import pytest
import torch

from refinery.config import to_mapping
from refinery.errors import ConfigError
from refinery.observation import OBSERVATION_SIZE
from refinery.paths import config_file
from refinery.trained_with import TrainedWith
from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import shipped_base

TASKS = sorted(path.stem for path in config_file("tasks", "peg_rect").parent.glob("*.yaml"))

EPISODES = np.random.default_rng(0).normal(size=(6, 5, OBSERVATION_SIZE)).astype(np.float32)


def acted(agent):
    agent.reset()
    return np.stack([agent.act(observation) for observation in EPISODES])


@pytest.mark.parametrize("inputs", [{}, {"lstm": 24}, {"lstm": 8, "observation_clip": 4.0, "clock": (0.2, 0.1)}])
def test_weights_and_their_record_survive_a_round_trip(inputs, task, tmp_path):
    agent = Agent(AgentSpec(hidden=(32, 16), **inputs), seed=1)
    agent.trained_with = TrainedWith.of(task)
    agent.save(tmp_path / "w.npz")
    for again in (Agent.load(tmp_path / "w.npz"), agent.copy()):
        assert again.spec == agent.spec and again.trained_with == agent.trained_with
        assert np.array_equal(acted(agent), acted(again))
    # Whoever has the file needs neither pickle nor this code to read it.
    with np.load(tmp_path / "w.npz", allow_pickle=False) as stored:
        assert json.loads(stored["trained_with"].tobytes())["control"]["stiffness"] == list(task.control.stiffness)


@pytest.mark.parametrize("lstm", [0, 24])
def test_acting_step_by_step_is_acting_on_whole_episodes(lstm):
    agent = Agent(AgentSpec(hidden=(32, 16), lstm=lstm), seed=1)
    whole = agent.act_sequences(torch.from_numpy(EPISODES)).detach().numpy()
    assert np.allclose(acted(agent), whole, atol=1e-6)


def test_only_an_lstm_remembers():
    for lstm in (0, 24):
        agent = Agent(AgentSpec(hidden=(32, 16), lstm=lstm), seed=1)
        fresh = acted(agent)[-1]
        agent.reset()
        assert np.allclose(agent.act(EPISODES[-1]), fresh, atol=1e-6) == (lstm == 0)


def test_weights_from_before_there_were_lstms_load(agent, tmp_path):
    agent.save(tmp_path / "w.npz")
    new = ("lstm", "observation_clip", "clock")
    with np.load(tmp_path / "w.npz") as stored:
        np.savez(tmp_path / "old.npz", **{key: stored[key] for key in stored.files if key not in new})
    assert Agent.load(tmp_path / "old.npz").spec == agent.spec


def test_weights_of_an_lstm_that_hid_the_observations_act_as_they_did(tmp_path):
    agent = Agent(AgentSpec(hidden=(32, 16), lstm=24), seed=1)
    agent.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as stored:
        arrays = {key: stored[key] for key in stored.files}
    arrays["actor.mlp.0.weight"] = arrays["actor.mlp.0.weight"][:, OBSERVATION_SIZE:]
    np.savez(tmp_path / "old.npz", **arrays)
    again = Agent.load(tmp_path / "old.npz")
    with torch.no_grad():
        x = agent.actor.obs_normalizer(torch.from_numpy(EPISODES))
        expected = torch.nn.functional.linear(
            agent.actor.rnn.rnn(x)[0],
            torch.from_numpy(arrays["actor.mlp.0.weight"]),
            torch.from_numpy(arrays["actor.mlp.0.bias"]),
        )
        for layer in list(agent.actor.mlp)[1:]:
            expected = layer(expected)
    assert np.allclose(acted(again), expected.numpy(), atol=1e-6)


def test_the_clock_tells_the_time_that_is_left():
    agent = Agent(AgentSpec(hidden=(8,), clock=(0.25, 0.125)), seed=0)
    x = torch.zeros(3, OBSERVATION_SIZE)
    x[:, -1] = torch.tensor([1.0, 0.9375, 0.875])
    seen = agent.actor.obs_normalizer(x)[:, OBSERVATION_SIZE:].numpy()
    expected = [[0, 0, 1, 1], [1, 0, 0, -1], [0, 0, -1, 1]]
    assert np.allclose(seen, expected, atol=1e-5)


def test_inputs_cannot_be_taken_away():
    agent = Agent(AgentSpec(hidden=(8,), lstm=4, clock=(0.5,)), seed=0)
    for change in ({"lstm": 0}, {"lstm": 5}, {"clock": ()}, {"clock": (0.4,)}, {"hidden": (9,)}):
        with pytest.raises(ConfigError):
            agent.extended(dataclasses.replace(agent.spec, **change), seed=0)


def test_a_memory_keeps_what_it_knows_when_a_clock_is_added():
    agent = Agent(AgentSpec(hidden=(16,), lstm=8), seed=1)
    more = agent.extended(dataclasses.replace(agent.spec, clock=(0.5,), observation_clip=9.0), seed=2)
    assert np.allclose(acted(more), acted(agent), atol=1e-6)


def test_weights_from_before_there_was_a_record_have_none(agent, tmp_path):
    agent.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as stored:
        np.savez(tmp_path / "old.npz", **{key: stored[key] for key in stored.files if key != "trained_with"})
    assert Agent.load(tmp_path / "old.npz").trained_with is None


@pytest.mark.parametrize("record", [b"", b"{", b"\xff", b"[]", b"{}", b'{"task": "a", "control": 1}'])
def test_a_damaged_record_is_named(record, agent, tmp_path):
    agent.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as stored:
        arrays = {key: stored[key] for key in stored.files}
    np.savez(tmp_path / "w.npz", **arrays | {"trained_with": np.frombuffer(record, dtype=np.uint8)})
    with pytest.raises(ConfigError, match=r"w\.npz: trained_with"):
        Agent.load(tmp_path / "w.npz")


@pytest.mark.parametrize("name", TASKS)
def test_shipped_weights_were_trained_with_their_task_s_settings(name):
    task = read_task(name)
    agent = Agent.load(shipped_base(task))
    assert agent.trained_with == TrainedWith.of(task)
    beside = json.loads(shipped_base(task).with_suffix(".json").read_text())["trained_with"]
    assert beside == to_mapping(agent.trained_with)


def test_missing_and_damaged_weights_are_named(agent, tmp_path):
    with pytest.raises(ConfigError, match=r"w\.npz.*nothing there"):
        Agent.load(tmp_path / "w.npz")
    (tmp_path / "w.npz").write_bytes(b"not a zip")
    with pytest.raises(ConfigError, match=r"w\.npz"):
        Agent.load(tmp_path / "w.npz")


def test_a_pickle_inside_is_refused(tmp_path):
    np.savez(tmp_path / "w.npz", hidden=np.array([print], dtype=object))
    with pytest.raises(ConfigError):
        Agent.load(tmp_path / "w.npz")
