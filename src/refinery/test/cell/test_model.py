import dataclasses

import mujoco
import numpy as np
import pytest

from refinery.cell.model import build_model
from refinery.paths import config_file
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))


@pytest.fixture(scope="module")
def cell():
    return build_model(TASK, timestep_s=0.001)


def free_plug(model, socket_from_plug_xyz, yaw=0.0):
    """Overlap of the plug with the socket when placed there: the deepest contact distance, [m] (negative: overlap)."""
    data = mujoco.MjData(model)
    data.qpos[:7] = [0, -0.1, 0, -2.3, 0, 2.2, 0.785]
    mujoco.mj_forward(model, data)
    site = model.site("plug_tip").id
    tip, axes = data.site_xpos[site].copy(), data.site_xmat[site].reshape(3, 3).copy()
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, (axes @ rot_z(yaw).T).ravel())
    data.mocap_pos[0] = tip - axes @ rot_z(yaw).T @ np.asarray(socket_from_plug_xyz)
    data.mocap_quat[0] = quat
    mujoco.mj_forward(model, data)
    return min((float(data.contact[i].dist) for i in range(data.ncon)), default=0.0)


def rot_z(a):
    return np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_clearance_is_what_the_task_says(cell, axis, sign):
    model, _ = cell
    gap = TASK.socket.clearance_m
    offset = np.zeros(3)
    offset[2] = 0.5 * TASK.socket.depth_m
    offset[axis] = sign * (gap - 2e-5)
    assert free_plug(model, offset) >= -1e-6
    offset[axis] = sign * (gap + 5e-5)
    assert free_plug(model, offset) < -1e-5


def test_plug_fits_only_the_right_way_round(cell):
    model, _ = cell
    assert free_plug(model, [0, 0, 0.01]) >= -1e-6
    assert free_plug(model, [0, 0, 0.01], yaw=np.pi / 2) < -1e-3


def test_plate_is_full_around_the_hole(cell):
    model, _ = cell
    rng = np.random.default_rng(0)
    half = np.asarray(TASK.plug.half_size_m)
    edge = TASK.socket.plate_half_size_m
    for _ in range(100):
        offset = rng.uniform(-edge, edge, 2)
        if np.all(np.abs(offset) < 2 * half + TASK.socket.clearance_m):
            continue
        assert free_plug(model, [*offset, 0.5 * TASK.socket.depth_m]) < -1e-3


def test_gains_are_the_tasks(cell):
    model, at = cell
    assert np.allclose(model.actuator_gainprm[at.cartesian.start : 3, 0], TASK.control.stiffness[:3])


def test_a_plug_larger_than_the_hole_does_not_compile_into_a_hole():
    tight = dataclasses.replace(TASK, socket=dataclasses.replace(TASK.socket, clearance_m=1e-6))
    model, _ = build_model(tight, timestep_s=0.001)
    assert free_plug(model, [5e-5, 0, 0.01]) < -1e-5
