"""One small environment and one small agent for all tests of the package."""

import pytest
import torch

from refinery.trained_with import TrainedWith
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.settings import read_task

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def task():
    return read_task("peg_rect")


@pytest.fixture(scope="session")
def env(task):
    return make_env(task, 64)


@pytest.fixture
def agent(task):
    """Random weights that say they were trained on the task."""
    agent = Agent(AgentSpec(hidden=(32, 16)), seed=0)
    agent.trained_with = TrainedWith.of(task)
    return agent
