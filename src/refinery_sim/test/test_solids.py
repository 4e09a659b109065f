"""Sockets made of solids: the shipped steps of assemblies, and what is refused."""

import dataclasses

import mujoco
import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.section import SectionSpec
from refinery.task import SolidSpec
from refinery_sim.authoring.examination import examine, top_under_fingers_m
from refinery_sim.model import build_model
from refinery_sim.plate import plate_pieces
from refinery_sim.solids import least_clearance_m, solid_pieces
from refinery_sim.task import named_task

STEPS = sorted(path.stem for path in (config_file("tasks", "peg_rect").parent / "assembly").glob("*.yaml"))
RIM_BY_STEP_M = {"gearbox_gear": 0.026, "gearbox_cover": 0.016, "block_key": 0.037, "sleeves_core": 0.052}


class Step:
    """The cell of a step's task with the plug put wherever it is asked for (the socket is moved)."""

    def __init__(self, name):
        self.task = named_task(name)
        self.model, self.at = build_model(self.task, timestep_s=0.001, scenery=False)
        self.data = mujoco.MjData(self.model)
        self.data.qpos[:7] = [0, 0.2, 0, -2.2, 0, 2.4, 0.785]
        mujoco.mj_kinematics(self.model, self.data)

    def overlap_m(self, xyz):
        """Deepest penetration with the tip there in the socket frame, 0 without contact, [m]."""
        axes = self.data.site_xmat[self.at.plug_site].reshape(3, 3)
        self.data.mocap_pos[0] = self.data.site_xpos[self.at.plug_site] - axes @ np.asarray(xyz)
        mujoco.mju_mat2Quat(self.data.mocap_quat[0], axes.ravel())
        mujoco.mj_forward(self.model, self.data)
        return max((-float(contact.dist) for contact in self.data.contact), default=0.0)


@pytest.fixture(scope="module")
def steps():
    cells = {}
    return lambda name: cells.setdefault(name, Step(name))


@pytest.mark.parametrize("name", STEPS)
def test_the_shipped_steps_have_no_mistakes_and_room_for_the_fingers(name):
    found = examine(config_file("tasks", name), load_robot_profile("fr3"))
    assert found.ok, [*found.mistakes, *found.misfits]
    assert dict(found.facts)["clearance"].startswith("0.4 mm per side, measured")
    # The fingertips reach 8.9 mm under the tool point.
    assert found.task.plug.grasp_xyz_m[2] - top_under_fingers_m(found.task) > 0.0089


@pytest.mark.parametrize("name", STEPS)
def test_the_plug_passes_with_its_clearance_on_all_heights_and_rests_on_its_seat(name, steps):
    cell = steps(name)
    play, rim = cell.task.socket.clearance_m, cell.task.rim_height_m
    for height in np.linspace(1e-4, rim + 1e-3, 7):
        for x, y in ((0, 0), (0.9, 0.9), (-0.9, 0.9), (0.9, -0.9), (-0.9, -0.9)):
            assert cell.overlap_m((x * play, y * play, height)) == 0, (x, y, height)
    assert cell.overlap_m((0, 0, -1e-4)) == pytest.approx(1e-4, abs=1e-6)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("way", [(0, 1), (0, -1)])
def test_nothing_passes_where_the_plug_is_larger(name, way, steps):
    cell = steps(name)
    play = cell.task.socket.clearance_m
    # The key leans on the base, which is further away there and lower than the block.
    side = 2 * play if name == "block_key" and way == (0, 1) else play
    beyond = side + 1e-4
    assert cell.overlap_m((way[0] * beyond, way[1] * beyond, 0.004)) > 5e-5


@pytest.mark.parametrize(("name", "rim_m"), RIM_BY_STEP_M.items())
def test_insertion_begins_at_the_highest_solid(name, rim_m):
    assert named_task(name).rim_height_m == rim_m


def test_an_annular_plug_leaves_no_post_and_goes_over_one_where_it_stands(steps):
    # On the axis of a bushing's hole there is the floor alone; on that of a gear, the shaft.
    for name, top in (("gearbox_bushing", 0.0), ("gearbox_gear", 0.026)):
        task = named_task(name)
        pieces = plate_pieces(task.plug.section, task.socket)
        on_axis = [p for p in pieces if np.all(p.bounds_m[0][:2] < 0) and np.all(p.bounds_m[1][:2] > 0)]
        assert max(p.bounds_m[1][2] for p in on_axis) == pytest.approx(top)


def test_a_chamfer_leads_the_cover_in(steps):
    cell = steps("gearbox_cover")
    rim = cell.task.rim_height_m
    # 1.3 mm off along y is 0.4 mm of clearance and 0.9 mm of the 1 mm chamfers.
    assert cell.overlap_m((0, 0.0013, rim - 1e-5)) == 0
    assert cell.overlap_m((0, 0.0013, rim - 0.0005)) > 1e-4
    assert cell.overlap_m((0, 0.0015, rim - 2e-5)) > 1e-5


def test_a_chamfered_solid_is_a_prism_and_a_frustum():
    solid = SolidSpec(
        section=SectionSpec(family="square", size_m=(0.012,)),
        low_m=0.0,
        high_m=0.026,
        chamfer_m=0.001,
        centre_m=(0, 0.1),
    )
    body, top = solid_pieces(solid)
    assert body.bounds_m[1] == pytest.approx([0.006, 0.106, 0.025])
    assert top.bounds_m[1] == pytest.approx([0.006, 0.106, 0.026])
    assert np.abs(top.corners_m[top.corners_m[:, 2] > 0.0255][:, 0]) == pytest.approx(0.005)
    notched = SectionSpec(family="l", size_m=(0.014, 0.014, 0.006, 0.006))
    with pytest.raises(ConfigError, match=r"chamfer_m: expected 0 for a section that is not convex"):
        solid_pieces(dataclasses.replace(solid, section=notched))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: {"clearance_m": 0.0003}, r"socket\.clearance_m: expected 0\.0004 m \(measured"),
        (lambda s: {"solids": s.solids[1:]}, r"socket\.solids: expected a solid under the plug"),
        (
            lambda s: {"solids": (*s.solids, dataclasses.replace(s.solids[2], section=s.solids[0].section))},
            r"socket\.solids\[3\]\.high_m: expected <= 0 \(it stands in the way",
        ),
    ],
)
def test_solids_that_do_not_fit_are_refused(change, words):
    task = named_task("gearbox_shaft")
    socket = dataclasses.replace(task.socket, **change(task.socket))
    with pytest.raises(ConfigError, match=words):
        plate_pieces(task.plug.section, socket)


def test_the_clearance_is_that_of_what_the_plug_passes_not_of_what_it_rests_on():
    task = named_task("gearbox_cover")
    assert least_clearance_m(task.plug.section, task.socket) == pytest.approx(0.0004)


def test_a_solid_without_a_shape_is_refused_with_its_key(tmp_path):
    file = tmp_path / "bad.yaml"
    text = config_file("tasks", "gearbox_gear").read_text()
    base = config_file("tasks", "peg_rect").parent / "base" / "insertion.yaml"
    file.write_text(text.replace("../base/insertion.yaml", str(base)).replace("size_m: [0.12]", "size_m: [0.5]"))
    with pytest.raises(ConfigError, match=r"socket\.solids\[0\]\.section\.size_m: expected a section within"):
        named_task(str(file))
