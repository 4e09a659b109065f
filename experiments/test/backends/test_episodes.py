"""The contact force that is compared between simulators is the one that acts."""

import numpy as np

from experiments.backends.episodes import ContactForce
from refinery.rotations import Poses
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.settings import read_task


def test_a_plate_that_is_pressed_on_bears_the_stretch_of_the_spring():
    task = read_task("peg_rect")
    env = make_env(task, 2, threads=1)
    theta = np.zeros((2, 9))
    theta[:, 0], theta[:, 2] = 0.02, task.rim_height_m + 0.002
    env.reset(draw_episodes(task, theta, np.random.default_rng(0)))
    force, start = ContactForce(env), env.measured
    assert force().tolist() == [0.0, 0.0]
    goal = Poses(pos_m=start.pos_m - [0.0, 0.0, 0.012], quat_xyzw=start.quat_xyzw)
    for _ in range(25):
        env.drive(goal)
    stretch_m = env.measured.pos_m[:, 2] - goal.pos_m[:, 2] - env._control_bias[:, 2]
    assert np.allclose(force(), task.control.stiffness[2] * stretch_m, rtol=0.1)
    assert force().min() > 3.0
