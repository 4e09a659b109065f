"""Isaac Lab's own insertion tasks as far as they go without Isaac Sim and NVIDIA's assets: configuration and frames.

What moves there is not tested: nothing of these tasks ran here.
"""

import importlib
import inspect
import math
import os
import subprocess
import sys
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import torch
from isaaclab.cli import load_external_tasks
from isaaclab.utils import instantiate
from isaaclab.utils.math import combine_frame_transforms, quat_from_euler_xyz
from isaaclab_tasks.contrib.automate.assembly_env_cfg import AssemblyEnvCfg
from isaaclab_tasks.contrib.factory.factory_env import FactoryEnv
from isaaclab_tasks.contrib.nist.mdp import reset_accumulator
from isaaclab_tasks.contrib.nist.utils import UniformSamplingStrategyCfg
from isaaclab_tasks.contrib.nist.utils.reset_state import get_reset_state
from isaaclab_tasks.utils import load_cfg_from_registry
from isaaclab_tasks.utils.hydra import resolve_presets

from refinery.errors import ConfigError
from refinery.rotations import Poses
from refinery.success import plug_offset, strict
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.isaaclab_upstream import upstream_ids
from refinery_sim_train.isaaclab_upstream.factory_franka import ForcedSlots, seat_and_align, without_restarts
from refinery_sim_train.isaaclab_upstream.requirements import asset_paths, require_assets
from refinery_sim_train.isaaclab_upstream.slots import nearest_slots, relative_poses, root_columns
from refinery_sim_train.isaaclab_upstream.starts import starts_of
from refinery_sim_train.isaaclab_upstream.tasks import SYMMETRY, automate_task, factory_task

load_external_tasks()
FACTORY, AUTOMATE, FRANKA = upstream_ids()
PRESETS = {"peg_insert_8mm", "newton_mjwarp"}


def cfg_of(task_id):
    return load_cfg_from_registry(task_id, "env_cfg_entry_point")


def random_poses(rng, count, spread_m, tilt_rad):
    return Poses.from_xyz_rpy(
        rng.uniform(-spread_m, spread_m, (count, 3)), rng.uniform(-tilt_rad, tilt_rad, (count, 3))
    )


@pytest.mark.parametrize("task_id", [FACTORY, AUTOMATE, FRANKA])
def test_a_task_resolves_with_the_agent_that_isaac_lab_has_for_it(task_id):
    ours, theirs = gymnasium.spec(task_id), gymnasium.spec(task_id.replace("Refinery", "IsaacContrib"))
    agents = {key: value for key, value in theirs.kwargs.items() if key != "env_cfg_entry_point"}
    assert {key: ours.kwargs.get(key) for key in agents} == agents
    module, name = ours.entry_point.split(":")
    original = theirs.entry_point.split(":")[1]
    assert original in {base.__name__ for base in getattr(importlib.import_module(module), name).__mro__}
    assert isinstance(cfg_of(task_id), type(cfg_of(theirs.id)))


def test_the_curricula_are_off_here_and_nowhere_else():
    assert cfg_of(AUTOMATE).tasks["insertion"].if_sbc is False
    assert AssemblyEnvCfg().tasks["insertion"].if_sbc is True
    for task_id, off in ((FRANKA, True), ("IsaacContrib-Factory-Franka", False)):
        cfg = resolve_presets(cfg_of(task_id), PRESETS)
        reset = cfg.events.reset_strategies
        assert (reset.func is ForcedSlots) is off
        (strategy,) = reset.params["sampling"].strategies
        assert isinstance(strategy, UniformSamplingStrategyCfg) is off
        found = cfg.events.variable_gravity, cfg.curriculum.gravity_adr, cfg.curriculum.difficulty_scheduler
        assert all((item is None) is off for item in found)


def test_isaac_lab_sees_the_parameters_of_its_own_reset_in_ours():
    assert inspect.signature(ForcedSlots.__call__) == inspect.signature(reset_accumulator.__call__)


def test_without_restarts_nothing_ends_an_episode_and_success_is_still_measured():
    cfg = without_restarts(resolve_presets(cfg_of(FRANKA), PRESETS))
    left = [name for name, term in vars(cfg.terminations).items() if term is not None]
    assert left == ["progress_context"] and cfg.rewards.early_termination is None


def test_the_middle_of_factorys_starts_is_where_factory_starts_without_noise():
    cfg = cfg_of(FACTORY)
    task, rng = factory_task(cfg), np.random.default_rng(0)
    middle = (task.initial_state.deployed.low + task.initial_state.deployed.high) / 2
    theta = np.tile(middle, (4, 1))
    theta[:, 5] += [-0.7, -0.2, 0.3, 0.7]
    episodes = draw_episodes(task, theta, rng)
    starts = starts_of(task, episodes)
    above_m = cfg.task.fixed_asset_cfg.height + cfg.task.hand_init_pos[2]
    assert np.allclose(starts.fingertips.pos_m - episodes.estimate.pos_m, [0.0, 0.0, above_m], atol=1e-9)
    yaw = torch.tensor(theta[:, 5])
    down = quat_from_euler_xyz(torch.full((4,), math.pi), torch.zeros(4), yaw).numpy()
    assert np.allclose(np.abs((down * starts.fingertips.quat_xyzw).sum(axis=1)), 1.0, atol=1e-9)
    # From there on Factory's own functions: the part relative to the fingertips, which it flips about y.
    env = SimpleNamespace(cfg_task=cfg.task, num_envs=4, device="cpu")
    in_part, turn = FactoryEnv.get_handheld_asset_relative_pose(env)
    hand = torch.tensor(starts.fingertips.pos_m), torch.tensor(starts.fingertips.quat_xyzw)
    flip = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64).repeat(4, 1)
    flipped = combine_frame_transforms(*hand, torch.zeros(4, 3, dtype=torch.float64), flip)
    position, quaternion = combine_frame_transforms(*flipped, -in_part.double(), turn.double())
    assert np.allclose(position.numpy(), starts.held.pos_m, atol=1e-8)
    half_a_turn = starts.held.inverse() @ Poses(pos_m=position.numpy(), quat_xyzw=quaternion.numpy())
    assert np.allclose(np.abs(half_a_turn.quat_xyzw), [0.0, 0.0, 1.0, 0.0], atol=1e-8)


def test_factorys_figures_come_from_its_configuration():
    cfg = cfg_of(FACTORY)
    cfg.task.hand_init_pos[2] += 0.01
    task, before = factory_task(cfg), factory_task(cfg_of(FACTORY))
    assert task.initial_state.deployed.low[2] == pytest.approx(before.initial_state.deployed.low[2] + 0.01)
    assert task.control.episode_steps == 150 and task.control.policy_rate_hz == pytest.approx(15.0)
    assert task.success.depth_tolerance_m == pytest.approx(0.001)
    assert task.socket.clearance_m == pytest.approx(0.000057)


def test_strict_success_is_factorys_own_and_straight_and_not_through_the_floor():
    cfg, rng, count = cfg_of(FACTORY), np.random.default_rng(1), 2000
    task = factory_task(cfg)
    fixed, apart = random_poses(rng, count, 0.3, 0.0), random_poses(rng, count, 0.003, 0.03)
    held = fixed @ apart
    tensors = {
        "fixed_pos": fixed.pos_m,
        "fixed_quat": fixed.quat_xyzw,
        "held_pos": held.pos_m,
        "held_quat": held.quat_xyzw,
    }
    env = SimpleNamespace(cfg_task=cfg.task, num_envs=count, device="cpu")
    for name, value in tensors.items():
        setattr(env, name, torch.tensor(value, dtype=torch.float32))
    theirs = FactoryEnv._get_curr_successes(env, cfg.task.success_threshold).numpy()
    offset = plug_offset(fixed, held, SYMMETRY)
    ours = strict(offset, task.success)
    sound = (offset.angle_rad < task.success.angle_tolerance_rad) & (offset.height_m > -task.success.depth_tolerance_m)
    assert np.array_equal(ours, theirs & sound)
    assert ours.sum() > 50 and (theirs & ~sound).sum() > 50


def test_the_part_is_lowered_at_the_estimated_socket_and_the_error_is_observed():
    task = automate_task(cfg_of(AUTOMATE), 0.02)
    theta = task.initial_state.deployed.uniform(8, np.random.default_rng(2))
    episodes = draw_episodes(task, theta, np.random.default_rng(3))
    starts = starts_of(task, episodes)
    error = episodes.estimate.pos_m - episodes.socket.pos_m
    assert np.abs(error[:, :2]).min() > 0 and np.array_equal(starts.estimate_error_m, error)
    assert starts.fixed is episodes.socket
    assert np.allclose((episodes.estimate.inverse() @ starts.held).pos_m, theta[:, :3])
    # Isaac Lab's lift without its curriculum: free of the socket by curriculum_freespace_range.
    assert np.allclose(theta[:, 2], 0.02 + 0.01)
    assert task.socket.nominal_xyz_m == pytest.approx((0.6, 0.0, 0.05 + 0.1435))


def test_a_tilted_start_is_refused():
    task = factory_task(cfg_of(FACTORY))
    theta = task.initial_state.deployed.uniform(3, np.random.default_rng(4))
    theta[1, 4] = 0.1
    with pytest.raises(ConfigError) as refused:
        starts_of(task, draw_episodes(task, theta, np.random.default_rng(5)))
    assert (refused.value.key, refused.value.got) == ("initial_state.pitch", pytest.approx(0.1))


def test_the_bank_is_read_as_isaac_lab_writes_it():
    count, rng = 6, np.random.default_rng(6)
    joints = {"robot": 9, "fixed_asset": 0, "drawer": 2}
    roots = {name: torch.tensor(rng.random((count, 13))) for name in (*joints, "held_asset", "nistboard")}

    def asset(name):
        moved = {
            key: SimpleNamespace(torch=torch.tensor(rng.random((count, joints.get(name, 0)))))
            for key in ("joint_pos", "joint_vel")
        }
        return SimpleNamespace(data=SimpleNamespace(root_state_w=SimpleNamespace(torch=roots[name]), **moved))

    scene = SimpleNamespace(
        _articulations={name: asset(name) for name in joints},
        _rigid_objects={name: asset(name) for name in ("nistboard", "held_asset")},
    )
    stored = ("robot", "fixed_asset", "held_asset", "nistboard")
    states = get_reset_state(SimpleNamespace(scene=scene), torch.arange(count), stored).numpy()
    columns = root_columns(joints, ("nistboard", "held_asset"), stored)
    assert set(columns) == set(stored)
    for name, column in columns.items():
        assert np.array_equal(states[:, column : column + 13], roots[name].numpy())


def test_starts_in_the_bank_are_relative_to_the_seat_that_success_is_measured_at():
    params = resolve_presets(cfg_of(FRANKA), PRESETS).terminations.progress_context.params
    profile = instantiate(params["assembly_profile"])
    seat, align = seat_and_align(SimpleNamespace(profile=profile, held_asset_offset=params["held_asset_offset"]))
    count, rng = 5, np.random.default_rng(7)
    fixed, wanted = random_poses(rng, count, 0.3, 1.0), random_poses(rng, count, 0.02, 0.3)
    held = fixed @ seat @ wanted @ align.inverse()
    states = np.zeros((count, 26))
    for column, poses in ((0, fixed), (13, held)):
        states[:, column : column + 7] = np.hstack([poses.pos_m, poses.quat_xyzw])
    found = relative_poses(states, {"fixed_asset": 0, "held_asset": 13}, seat, align)
    assert np.allclose(found.pos_m, wanted.pos_m)
    order = np.array([3, 0, 4, 4, 1])
    nudged = wanted[order] @ random_poses(rng, count, 1e-4, 1e-3)
    assert np.array_equal(nearest_slots(nudged, found), order)
    # The assembled end of Isaac Lab's own way in is where the seat is.
    start_m, _ = profile.sample((0.0, 0.0), 1, "cpu")
    assert np.allclose(start_m.numpy(), seat.pos_m, atol=1e-7)


def test_without_isaac_sim_the_refusal_names_it():
    for task_id in (FACTORY, AUTOMATE):
        with pytest.raises(ConfigError) as refused:
            gymnasium.make(task_id, cfg=cfg_of(task_id))
        assert refused.value.source == task_id and "Isaac Sim" in refused.value.expected
        assert FRANKA in refused.value.hint and "\n" not in str(refused.value)


def test_a_missing_asset_is_named_with_its_root(tmp_path):
    there = tmp_path / "there.usd"
    there.touch()
    require_assets(FRANKA, [str(there)])
    with pytest.raises(ConfigError) as refused:
        require_assets(FRANKA, [str(there), str(tmp_path / "gone.usd")])
    assert refused.value.expected.endswith("gone.usd") and "ISAACSIM_ASSET_ROOT" in refused.value.hint


MAKE = f"""
import gymnasium
from isaaclab.cli import load_external_tasks
from isaaclab_tasks.utils import load_cfg_from_registry
from isaaclab_tasks.utils.hydra import resolve_presets
from refinery.errors import ConfigError
load_external_tasks()
try:
    cfg = load_cfg_from_registry("{FRANKA}", "env_cfg_entry_point")
    gymnasium.make("{FRANKA}", cfg=resolve_presets(cfg, {PRESETS}))
except ConfigError as refused:
    print("REFUSED", refused)
"""


@pytest.mark.timeout(600)
def test_with_newton_it_is_the_assets_alone_that_are_missing(tmp_path):
    paths = asset_paths(resolve_presets(cfg_of(FRANKA), PRESETS))
    assert any("/Isaac/IsaacLab/Factory/" in path for path in paths)
    settings = os.environ | {"ISAACSIM_ASSET_ROOT": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", MAKE], capture_output=True, text=True, env=settings, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("REFUSED"))
    assert f"no such file under {tmp_path}" in line and "ISAACSIM_ASSET_ROOT=" in line and FRANKA in line
