"""Our task under Isaac Lab's own order of calls: provider, sink, automatic resets."""

import gymnasium
import numpy as np
import pytest
import torch
from isaaclab.cli import load_external_tasks
from isaaclab_tasks.utils import load_cfg_from_registry

from isaaclab_backend.solver_geometry import expected_positions, shape_positions
from refinery.paths import config_file
from refinery_sim_train.backends.isaaclab_cell import cell_model
from refinery_sim_train.env.episodes import draw_episodes

COUNT, TASK_ID = 4, "Refinery-Insertion-Direct"


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    """The task with episodes of six policy steps and grasps that vary."""
    load_external_tasks()
    file = tmp_path_factory.mktemp("task") / "short.yaml"
    file.write_text(
        f"extends: {config_file('tasks', 'peg_rect')}\nname: short\ndescription: short episodes\n"
        "control: {episode_s: 0.4}\n"
        "initial_state: {deployed_in: {grasp_x: [-0.003, 0.003], grasp_pitch: [-0.2, 0.2]}}\n"
    )
    cfg = load_cfg_from_registry(TASK_ID, "env_cfg_entry_point")
    cfg.task, cfg.scene.num_envs, cfg.sim.device, cfg.seed = str(file), COUNT, "cpu", 0
    made = gymnasium.make(TASK_ID, cfg=cfg)
    yield made
    made.close()


def imposed_error_m(env):
    insertion = env.insertion
    model = cell_model(env.task)
    local = model.geom_pos[model.geom_bodyid == model.body("plug").id]
    return np.abs(shape_positions(insertion.physics, "plug") - expected_positions(insertion.plug, local)).max()


def test_episodes_start_where_the_provider_says_and_end_at_the_sink(env):
    inside, rng, given, heard = env.unwrapped, np.random.default_rng(0), [], []

    def provider(rows):
        theta = inside.task.initial_state.deployed.uniform(len(rows), rng)
        given.append((rows, theta))
        return draw_episodes(inside.task, theta, rng)

    inside.provider = provider
    inside.sink = lambda *told: heard.append(told)
    observation, _ = env.reset()
    assert observation["policy"].shape == (COUNT, inside.cfg.observation_space)
    assert observation["critic"].shape == (COUNT, inside.cfg.state_space)
    assert imposed_error_m(inside) < 1e-6 and heard == []
    steps = inside.task.control.episode_steps
    for step in range(1, steps + 1):
        observation, reward, terminated, truncated, extras = env.step(torch.zeros(COUNT, 6))
        assert bool(truncated.all()) == (step == steps) and not terminated.any()
    rows, theta, strict, engaged = heard[0]
    assert len(heard) == 1 and rows.tolist() == list(range(COUNT))
    assert np.array_equal(theta, given[0][1]) and len(given) == 2
    assert strict.dtype == engaged.dtype == bool and not strict.any()
    assert extras["log"]["Metrics/success_rate"] == 0.0
    # The automatic reset has imposed the next states.
    assert imposed_error_m(inside) < 1e-6
    assert inside.insertion.step_index.tolist() == [0] * COUNT
    assert torch.isfinite(reward).all() and torch.isfinite(observation["policy"]).all()


def test_it_steps_as_the_backend_does(env):
    """Isaac Lab's loop and the environment's own step are the same physics."""
    inside, rng = env.unwrapped, np.random.default_rng(1)
    theta = inside.task.initial_state.deployed.uniform(COUNT, rng)
    inside.provider = lambda rows: draw_episodes(inside.task, theta[rows], np.random.default_rng(2))
    env.reset()
    action = torch.full((COUNT, 6), 0.5)
    joints = []
    for _ in range(2):
        env.step(action)
        joints.append(inside.insertion.physics.joints_rad())
    moved = np.abs(joints[1] - joints[0]).max(axis=1)
    # Targets move by millimetres a step, and the arm follows them.
    assert (moved > 1e-4).all() and (moved < 0.1).all()
