import numpy as np

from refinery_sim_train.learn.imitate import ImitationSpec, imitate


def test_imitation_brings_the_student_close_to_the_expert(agent, env):
    shares = []
    spec = ImitationSpec(rounds=2, epochs=20, batch=512)
    loss = imitate(agent, env, env.task.initial_state.trained, spec, 0, lambda note, share: shares.append(share))
    assert loss < 0.08 and np.all(np.diff(shares) > 0) and shares[-1] <= 1
