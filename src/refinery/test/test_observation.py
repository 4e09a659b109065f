import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.observation import OBSERVATION_SIZE, TERMS, ObservationEncoder
from refinery.paths import config_file
from refinery.rotations import Poses, angle_between_rad
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))
SEATED = TASK.plug.tool_from_plug.inverse()


def at(name):
    start = 0
    for term in TERMS:
        if term.name == name:
            return slice(start, start + term.size)
        start += term.size
    raise KeyError(name)


def encode(encoder, socket, tool, action=None):
    filtered = encoder.filter_socket(socket)
    return encoder.encode(tool, filtered, tool, np.zeros((1, 6)) if action is None else action)[0]


def test_seated_and_still_is_zero_but_for_the_time():
    socket = Poses.from_xyz_rpy([0.5, 0.1, 0.1], [0, 0, 0.2])
    tool = socket @ SEATED
    encoder = ObservationEncoder(TASK)
    encoder.reset(tool)
    observation = encode(encoder, socket, tool)
    assert observation.shape == (OBSERVATION_SIZE,) and observation.dtype == np.float32
    assert np.allclose(observation[:-1], 0, atol=1e-5) and observation[-1] == 1.0


@given(st.integers(0, 2**32 - 1))
def test_only_relative_poses_matter(seed):
    rng = np.random.default_rng(seed)
    socket = Poses.from_xyz_rpy([0.5, 0, 0.1], [0, 0, 0.1])
    steps = [Poses.from_xyz_rpy(rng.uniform(-0.01, 0.01, 3), rng.uniform(-0.2, 0.2, 3)) for _ in range(3)]
    moved = Poses.from_xyz_rpy(rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3))
    seen = []
    for world in (Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0]), moved):
        encoder = ObservationEncoder(TASK)
        encoder.reset(world @ socket @ steps[0] @ SEATED)
        seen.append([encode(encoder, world @ socket, world @ socket @ step @ SEATED) for step in steps])
    assert np.allclose(seen[0], seen[1], atol=1e-4)


@given(st.integers(0, 2**32 - 1))
def test_a_grasp_reads_like_the_plug_displaced_in_the_hand(seed):
    rng = np.random.default_rng(seed)
    count = 3
    grasp = rng.uniform(-1, 1, (count, 3)) * [0.004, 0.006, 0.3]
    socket = Poses.from_xyz_rpy([0.5, 0, 0.1], [0, 0, 0.1])
    # The tools that would hold the plugs at the same places if these were held as intended.
    plugs = socket @ Poses.from_xyz_rpy(rng.uniform(-0.01, 0.01, (count, 3)), rng.uniform(-0.2, 0.2, (count, 3)))
    displaced, intended = plugs @ TASK.plug.tool_from_plug_at(grasp).inverse(), plugs @ SEATED
    held, same = ObservationEncoder(TASK, count), ObservationEncoder(TASK, count)
    held.reset(displaced, grasp=grasp)
    same.reset(intended)
    seen = [
        encoder.encode(tools, encoder.filter_socket(socket[np.zeros(count, int)]), tools, np.zeros((count, 6)))
        for encoder, tools in ((held, displaced), (same, intended))
    ]
    assert np.allclose(seen[0], seen[1], atol=1e-4)
    # The grasp of one row is that row's alone, and it lasts until the row is reset.
    held.reset(intended[np.array([1])], np.array([1]))
    tools = Poses(pos_m=displaced.pos_m.copy(), quat_xyzw=displaced.quat_xyzw.copy())
    tools.pos_m[1], tools.quat_xyzw[1] = intended.pos_m[1], intended.quat_xyzw[1]
    again = held.encode(tools, held.filter_socket(socket[np.zeros(count, int)]), tools, np.zeros((count, 6)))
    assert np.allclose(again[:, :9], seen[1][:, :9], atol=1e-4)


def test_estimates_are_averaged():
    rng = np.random.default_rng(0)
    tool = SEATED
    encoder = ObservationEncoder(TASK)
    encoder.reset(tool)
    for _ in range(400):
        filtered = encoder.filter_socket(Poses.from_xyz_rpy(rng.uniform(-0.002, 0.002, 3), [0, 0, 0]))
    assert np.linalg.norm(filtered.pos_m) < 3e-4


def test_orientations_are_averaged_whatever_their_sign():
    rng = np.random.default_rng(0)
    socket = Poses.from_xyz_rpy([0, 0, 0], [0.3, -0.2, 2.5])
    encoder = ObservationEncoder(TASK)
    encoder.reset(SEATED)
    for _ in range(400):
        turned = socket @ Poses.from_xyz_rpy([0, 0, 0], rng.uniform(-0.1, 0.1, 3))
        filtered = encoder.filter_socket(
            Poses(pos_m=turned.pos_m, quat_xyzw=turned.quat_xyzw * rng.choice([-1.0, 1.0]))
        )
    assert angle_between_rad(filtered.quat_xyzw, socket.quat_xyzw)[0] < 0.015
    assert np.linalg.norm(filtered.quat_xyzw) == pytest.approx(1.0)


def test_time_runs_out_with_the_estimates():
    encoder = ObservationEncoder(TASK)
    encoder.reset(SEATED)
    socket = Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0])
    left = [encode(encoder, socket, SEATED)[-1] for _ in range(TASK.control.episode_steps)]
    assert left[0] == 1.0 and np.all(np.diff(left) < 0) and left[-1] > 0


def test_resetting_one_row_leaves_the_others():
    tools = Poses.from_xyz_rpy(np.zeros((2, 3)), np.zeros((2, 3)))
    encoder = ObservationEncoder(TASK, 2)
    encoder.reset(tools)
    for _ in range(5):
        encoder.encode(tools, encoder.filter_socket(tools), tools, np.zeros((2, 6)))
    encoder.reset(tools[np.array([1])], np.array([1]))
    left = encoder.encode(tools, encoder.filter_socket(tools), tools, np.zeros((2, 6)))[:, -1]
    assert left[1] == 1.0 and left[0] < 0.95


def test_plug_terms_use_their_units():
    socket = Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0])
    tool = Poses.from_xyz_rpy([0.01, 0, 0.02], [0, 0, 0.1]) @ SEATED
    encoder = ObservationEncoder(TASK)
    encoder.reset(tool)
    observation = encode(encoder, socket, tool)
    assert np.allclose(observation[at("plug_pos_coarse")], [1, 0, 2], atol=1e-6)
    assert np.allclose(observation[at("plug_rotvec")], [0, 0, 1], atol=1e-6)


def test_the_units_that_policies_name_in_their_files_stay():
    units = [term.unit for term in TERMS]
    assert units[:5] == ["10 mm", "tanh of 2 mm", "0.1 rad", "1 mm per policy step", "0.01 rad per policy step"]
