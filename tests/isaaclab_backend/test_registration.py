"""Isaac Lab finds our tasks by their entry point, and every one of them resolves to settings."""

import gymnasium
import pytest
from isaaclab.cli import load_external_tasks
from isaaclab_tasks.utils import load_cfg_from_registry

from refinery.observation import OBSERVATION_SIZE
from refinery_sim_train.env.episodic import PRIVILEGED_SIZE
from refinery_sim_train.isaaclab_tasks import task_ids
from refinery_sim_train.settings import read_task

load_external_tasks()


def test_the_entry_point_registers_a_task_for_each_that_is_shipped():
    assert {"Refinery-Insertion-Direct", "Refinery-Insertion-PegRect-Direct"} <= set(gymnasium.registry)
    assert set(task_ids()) <= set(gymnasium.registry) and len(set(task_ids().values())) == 9


@pytest.mark.parametrize("task_id", task_ids())
def test_its_settings_are_those_of_the_task(task_id):
    cfg, task = load_cfg_from_registry(task_id, "env_cfg_entry_point"), read_task(task_ids()[task_id])
    assert cfg.task == task.name
    assert cfg.episode_length_s == task.control.episode_s
    assert cfg.sim.dt * cfg.decimation == pytest.approx(1 / task.control.policy_rate_hz)
    assert cfg.observation_space == OBSERVATION_SIZE and cfg.state_space == OBSERVATION_SIZE + PRIVILEGED_SIZE
    solver = cfg.sim.physics.solver_cfg
    assert (solver.cone, solver.integrator, cfg.sim.physics.default_shape_cfg.gap) == ("elliptic", "implicitfast", 0.0)


def test_the_agent_has_the_networks_that_import_policy_takes():
    cfg = load_cfg_from_registry("Refinery-Insertion-Direct", "rsl_rl_cfg_entry_point")
    assert cfg.actor.hidden_dims == [256, 128, 64] and cfg.actor.activation == "elu"
    assert cfg.obs_groups == {"actor": ["policy"], "critic": ["critic"]}
