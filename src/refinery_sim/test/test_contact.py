"""What MuJoCo feels against what the specification says, for every family: clearance, walls, rim and chamfer."""

import copy

import mujoco
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sections import SECTIONS, TASK, task_with
from shapely import affinity

from refinery.rotations import Poses
from refinery.task import NeighbourSpec
from refinery_sim.model import build_model
from refinery_sim.plate import grown
from refinery_sim.section import half_size_m, section_shape

HOME = [0, 0.2, 0, -2.2, 0, 2.4, 0.785]
CHAMFER_M = 0.001
TOUCH_M = 1e-6
_cells = {}


class Cell:
    """A task's model, the plug wherever it is asked for (the socket is moved instead of the arm)."""

    def __init__(self, task):
        self.task = task
        self.model, self.at = build_model(task, timestep_s=0.0028, scenery=False)
        self.data = mujoco.MjData(self.model)

    def put(self, xyz, rpy=(0.0, 0.0, 0.0)):
        data = self.data
        mujoco.mj_resetData(self.model, data)
        data.qpos[:7] = HOME
        mujoco.mj_kinematics(self.model, data)
        axes, tip = data.site_xmat[self.at.plug_site].reshape(3, 3), data.site_xpos[self.at.plug_site]
        pose = Poses.from_xyz_rpy(xyz, rpy)
        turn = axes @ pose.rotation.as_matrix()[0].T
        data.mocap_pos[0] = tip - turn @ np.asarray(xyz)
        mujoco.mju_mat2Quat(data.mocap_quat[0], turn.ravel())
        mujoco.mj_forward(self.model, data)

    def overlap_m(self, xyz, yaw=0.0):
        """Depth of the deepest contact with the plug there, 0 without contact."""
        self.put(xyz, (0.0, 0.0, yaw))
        return max((-float(contact.dist) for contact in self.data.contact), default=0.0)

    def press(self, xyz, force_n, seconds=1.0, wobble_m=0.0):
        """Put the plug there, push it down by the impedance controller and return where its tip ends in the socket."""
        self.put(xyz)
        model, data, at = self.model, self.data, self.at
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, data.mocap_quat[0])
        turn = turn.reshape(3, 3)
        tool = data.site_xpos[at.tool_site].copy()
        down = Poses.single(np.zeros(3), [1.0, 0.0, 0.0, 0.0]).rotation
        hold = (down.inv() * type(down).from_matrix(data.site_xmat[at.tool_site].reshape(3, 3))).as_rotvec().ravel()
        data.ctrl[at.posture] = data.qpos[at.joints]
        push = force_n / self.task.control.stiffness[2]
        for i in range(round(seconds / model.opt.timestep)):
            phase = 2 * np.pi * 3 * i * model.opt.timestep
            offset = [wobble_m * np.sin(phase), wobble_m * np.cos(phase), -push]
            data.ctrl[at.cartesian] = np.r_[tool + turn @ offset, hold]
            mujoco.mj_step(model, data)
        return turn.T @ (data.site_xpos[at.plug_site] - data.mocap_pos[0])


def cell(name, **socket):
    key = (name, tuple(socket.items()))
    if key not in _cells:
        _cells[key] = Cell(task_with(SECTIONS[name], **socket))
    return _cells[key]


def moved(section, xy, yaw=0.0):
    """The section as MuJoCo has it (a circle where it is round), displaced."""
    shape = section_shape(section)
    if section.family == "round":
        shape = shapely.Point(0, 0).buffer(half_size_m(section)[0], 90)
    return affinity.translate(affinity.rotate(shape, yaw, origin=(0, 0), use_radians=True), *xy)


def free_travel_m(task, direction, height_m):
    """How far the plug can move sideways from the middle at a height of its tip, by the specification."""
    hole = grown(section_shape(task.plug.section), task.socket.clearance_m + over_chamfer_m(task, height_m))
    low, high = 0.0, 0.02
    while high - low > 1e-8:
        middle = (low + high) / 2
        fits = moved(task.plug.section, middle * np.asarray(direction)).difference(hole).area < 1e-14
        low, high = (middle, high) if fits else (low, middle)
    return low


def over_chamfer_m(task, height_m):
    return max(0.0, height_m - (task.socket.depth_m - task.socket.chamfer_m))


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("direction", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_contact_begins_where_the_clearance_ends(name, direction):
    here = cell(name)
    travel = free_travel_m(here.task, direction, 0.012)
    assert travel >= here.task.socket.clearance_m - 1e-7
    assert here.overlap_m([*((travel - 3e-6) * np.asarray(direction)), 0.012]) < TOUCH_M
    assert here.overlap_m([*((travel + 2e-5) * np.asarray(direction)), 0.012]) > TOUCH_M


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("below_rim", [0.0, 0.3, 0.7, 0.98])
def test_chamfer_widens_the_mouth_by_its_height(name, below_rim):
    here = cell(name, chamfer_m=CHAMFER_M)
    height = here.task.socket.depth_m - below_rim * CHAMFER_M
    travel = free_travel_m(here.task, (1, 0), height)
    assert travel >= here.task.socket.clearance_m + (1 - below_rim) * CHAMFER_M - 1e-7
    assert here.overlap_m([travel - 3e-6, 0, height]) < TOUCH_M
    assert here.overlap_m([travel + 3e-5, 0, height - 2e-5 * (below_rim == 0)]) > TOUCH_M


@given(
    st.sampled_from(sorted(SECTIONS)),
    st.tuples(*[st.floats(-0.003, 0.003)] * 2),
    st.floats(-0.3, 0.3),
    st.floats(0.001, 0.03),
    st.sampled_from([0.0, CHAMFER_M]),
)
@settings(max_examples=300, deadline=None)
def test_free_where_the_section_is_in_the_hole_and_nowhere_else(name, xy, yaw, height, chamfer):
    here = cell(name, chamfer_m=chamfer)
    task, plug = here.task, moved(SECTIONS[name], xy, yaw)
    hole = grown(section_shape(SECTIONS[name]), task.socket.clearance_m + over_chamfer_m(task, height))
    over_m = height - task.socket.depth_m
    overlap = here.overlap_m([*xy, height], yaw)
    if over_m > TOUCH_M or plug.buffer(3e-6).within(hole):
        assert overlap < TOUCH_M
    elif over_m < -1e-4 and not plug.buffer(-2e-2 * max(half_size_m(SECTIONS[name]))).within(hole):
        assert overlap > TOUCH_M


@pytest.mark.parametrize("name", SECTIONS)
def test_plate_is_full_around_the_hole_and_closed_below(name):
    here = cell(name)
    rng = np.random.default_rng(0)
    reach = 2 * max(half_size_m(SECTIONS[name])) + 0.002
    for xy in rng.uniform(-0.05, 0.05, (50, 2)):
        if np.abs(xy).max() > reach:
            assert here.overlap_m([*xy, 0.02]) > 1e-3
    assert here.overlap_m([0, 0, 1e-5]) < TOUCH_M
    assert here.overlap_m([0, 0, -2e-5]) > 1e-5


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("chamfer", [0.0, CHAMFER_M])
def test_the_right_plug_slides_to_the_bottom(name, chamfer):
    here = cell(name, chamfer_m=chamfer)
    x, y, z = here.press([0.0, 0.0, here.task.socket.depth_m - 0.002], 20.0, wobble_m=0.001)
    assert abs(z) < here.task.success.depth_tolerance_m
    assert np.hypot(x, y) < here.task.success.lateral_tolerance_m


@pytest.mark.parametrize("name", SECTIONS)
def test_the_right_plug_slides_down_a_chamfer_from_the_side(name):
    here = cell(name, chamfer_m=CHAMFER_M)
    off = here.task.socket.clearance_m + CHAMFER_M / 2
    assert abs(here.press([off, 0.0, here.task.socket.depth_m + 0.0005], 20.0, wobble_m=0.001)[2]) < 0.001


@pytest.mark.parametrize("name", SECTIONS)
def test_a_plug_larger_than_the_hole_stays_on_the_rim(name):
    """With 20 N, pushed around by 2 mm: never deeper than contacts give way."""
    task = copy.deepcopy(task_with(SECTIONS[name]))
    object.__setattr__(task.socket, "clearance_m", -0.0003)
    here = Cell(task)
    z = here.press([0.0, 0.0, task.socket.depth_m + 0.0005], 20.0, wobble_m=0.002)[2]
    assert task.socket.depth_m - 0.0003 < z < task.socket.depth_m + 0.0005


@pytest.mark.parametrize("name", SECTIONS)
def test_pressing_beside_the_hole_goes_nowhere(name):
    here = cell(name)
    for angle in (0.3, 1.9, 3.5, 5.1):
        off = 0.025 * np.array([np.cos(angle), np.sin(angle)])
        z = here.press([*off, here.task.socket.depth_m + 0.0005], 20.0, seconds=0.4)[2]
        assert abs(z - here.task.socket.depth_m) < 0.0003


def test_neighbours_stand_in_the_way():
    wall = NeighbourSpec(centre_m=(0.02, 0.0, 0.035), half_size_m=(0.005, 0.02, 0.01))
    here = Cell(task_with(TASK.plug.section, neighbours=(wall,)))
    assert here.overlap_m([0.0, 0.0, 0.03]) == 0.0
    assert here.overlap_m([0.009 - 1e-5, 0.0, 0.03]) < TOUCH_M
    assert here.overlap_m([0.009 + 2e-5, 0.0, 0.03]) > 1e-5
    assert here.overlap_m([0.009 + 2e-5, 0.0, 0.046]) < TOUCH_M
