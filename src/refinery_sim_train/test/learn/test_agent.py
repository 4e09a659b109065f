import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery.observation import OBSERVATION_SIZE
from refinery_sim_train.learn.agent import Agent


def test_weights_survive_a_round_trip(agent, tmp_path):
    agent.save(tmp_path / "w.npz")
    again = Agent.load(tmp_path / "w.npz")
    x = np.random.default_rng(0).normal(size=(5, OBSERVATION_SIZE)).astype(np.float32)
    assert np.array_equal(agent.act(x), again.act(x))


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
