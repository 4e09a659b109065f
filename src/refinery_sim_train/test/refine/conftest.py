"""One base policy and one finished run for all tests of refining."""

import pytest
from tiny_run import refine

from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.learn.imitate import ImitationSpec, imitate


@pytest.fixture(scope="session")
def student(task, env):
    agent = Agent(AgentSpec(hidden=(64, 32)), seed=0)
    imitate(agent, env, task.initial_state.trained, ImitationSpec(rounds=3, epochs=20, batch=512), 0, lambda n, s: None)
    return agent


@pytest.fixture(scope="session")
def whole(task, student, tmp_path_factory):
    """A run from beginning to end, and its folder."""
    path = tmp_path_factory.mktemp("whole") / "run"
    return refine(task, student, path), path
