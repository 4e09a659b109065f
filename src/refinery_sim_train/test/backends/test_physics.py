"""What every backend owes the environment."""

import numpy as np

from refinery.rotations import Poses
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.make_env import make_env


def start(cells, rng):
    box = cells.task.initial_state.deployed
    cells.reset(draw_episodes(cells.task, box.uniform(cells.count, rng), rng))


def run(cells, steps, rng):
    """Drive with random actions; observations and rewards of every step."""
    trace = []
    for _ in range(steps):
        observation, privileged = cells.get_observations()
        reward, *_ = cells.step(rng.uniform(-1, 1, (cells.count, 6)))
        trace.append(np.hstack([observation, privileged, reward[:, None]]))
    return np.stack(trace)


def test_it_goes_on_from_a_snapshot_to_the_bit(cells, rng):
    start(cells, rng)
    run(cells, 3, rng)
    before = cells.snapshot()
    first = run(cells, 4, np.random.default_rng(1))
    start(cells, rng)
    run(cells, 2, rng)
    cells.restore(before)
    assert np.array_equal(run(cells, 4, np.random.default_rng(1)), first)


def test_imposing_some_cells_leaves_the_others_alone(cells, rng):
    start(cells, rng)
    run(cells, 3, rng)
    before = cells.physics.snapshot()
    rows = np.array([0, 2])
    episodes = draw_episodes(cells.task, cells.task.initial_state.deployed.uniform(2, rng), rng)
    cells.reset(episodes, rows)
    after = cells.physics.snapshot()
    others = np.setdiff1d(np.arange(cells.count), rows)
    assert all(np.array_equal(after[name][others], before[name][others]) for name in before)
    assert not np.array_equal(cells.physics.joints_rad()[rows], before["qpos"][rows])


def test_a_tool_that_is_pulled_in_free_air_goes_where_it_is_told(cells, rng):
    start(cells, rng)
    up = Poses.single([0.0, 0.0, 0.02], Poses.from_xyz_rpy(np.zeros(3), [0.05, -0.05, 0.1]).quat_xyzw[0])
    goal = Poses(pos_m=cells.measured.pos_m + up.pos_m, quat_xyzw=(up.rotation * cells.measured.rotation).as_quat())
    for _ in range(15):
        cells.drive(goal)
    bias = cells._control_bias
    assert np.abs(cells.measured.pos_m - bias - goal.pos_m).max() < 2e-3
    assert (goal.rotation * cells.measured.rotation.inv()).magnitude().max() < 0.04


def test_a_plug_on_the_plate_pushes_back_with_the_force_of_the_spring(cells, rng):
    """Statics: however contact is solved, the plate carries what the spring is stretched by."""
    theta = np.repeat(cells.task.initial_state.trained.low[None] * 0, cells.count, axis=0)
    theta[:, 0] = 0.012
    theta[:, 2] = cells.task.rim_height_m + 0.002
    cells.reset(draw_episodes(cells.task, theta, rng))
    goal = Poses(pos_m=cells.measured.pos_m - [0.0, 0.0, 0.02], quat_xyzw=cells.measured.quat_xyzw)
    for _ in range(10):
        cells.drive(goal)
    # Through the rim it cannot go.
    assert np.abs(cells.relative.pos_m[:, 2] - cells.task.rim_height_m).max() < 5e-4


def test_it_moves_as_the_reference_does(cells):
    reference = make_env(cells.task, cells.count, threads=1)
    for env in (cells, reference):
        start(env, np.random.default_rng(4))
        run(env, 4, np.random.default_rng(5))
    assert np.abs(cells.physics.joints_rad() - reference.physics.joints_rad()).max() < 1e-3
    assert np.abs(cells.plug.pos_m - reference.plug.pos_m).max() < 5e-4
