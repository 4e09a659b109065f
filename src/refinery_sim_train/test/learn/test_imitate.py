import numpy as np
import pytest

from refinery.trained_with import TrainedWith
from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.learn.imitate import ImitationSpec, imitate


@pytest.mark.parametrize("lstm", [0, 32])
def test_imitation_brings_the_student_close_to_the_expert(env, lstm):
    agent, shares = Agent(AgentSpec(hidden=(64, 32), lstm=lstm), seed=1), []
    spec = ImitationSpec(rounds=2, epochs=20, batch=512)
    loss = imitate(agent, env, env.task.initial_state.trained, spec, 0, lambda note, share: shares.append(share))
    assert agent.trained_with == TrainedWith.of(env.task)
    assert loss < 0.08 and np.all(np.diff(shares) > 0) and shares[-1] <= 1
