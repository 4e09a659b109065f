"""The planner's collision verdicts against MuJoCo's own contacts: never free where MuJoCo sees a contact."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import mujoco
import numpy as np
import pytest
from planning.cases import at, batch
from scipy.spatial import ConvexHull

from refinery.piece import Piece
from refinery.rotations import Array, Poses, xyzw_from_wxyz
from refinery.task import Task, load_task
from refinery_sim.contacts import HAND, Contacts
from refinery_sim.pieces import plug_pieces
from refinery_sim.plate import plate_pieces
from refinery_twin.planning import AttachedObject, Box, Cylinder, JointGoal, Mesh, Planner, SceneObject, Shape
from refinery_twin.planning.arm_links import neighbours

ROOT = Path(__file__).parents[4]
CONFIGURATIONS = 1000
FINGERS_M = 0.01
TABLE_TOP_M = -0.01
TABLE = SceneObject.single("table", Box(size_m=(3.0, 3.0, 0.05)), at(0.0, 0.0, TABLE_TOP_M - 0.025))
"""Its top is 1 cm under the base; the arm's base stands on it and may touch it."""


@pytest.mark.parametrize("name", ["peg_rect", "hexagon"])
def test_never_free_where_mujoco_sees_a_contact(
    planner: Planner, name: str, record_property: pytest.RecordProperty
) -> None:
    task = load_task(ROOT / f"config/tasks/{name}.yaml")
    socket = at(*task.socket.nominal_xyz_m)
    _fill(planner, task, socket)
    truth = _truth(planner, task, socket)
    counts = {"both": 0, "neither": 0, "false_free": 0, "false_colliding": 0}
    for joints in _configurations(planner, socket):
        theirs = truth.at(joints)
        ours = not planner.scene.world.free(joints)
        key = ("both" if ours else "false_free") if theirs else ("false_colliding" if ours else "neither")
        counts[key] += 1
        assert not theirs or ours, f"MuJoCo: {theirs}, the planner: free, at {joints.tolist()}"
        if theirs and counts["both"] % 20 == 0:
            assert theirs <= set(planner.scene.world.contacts(joints))
    record_property("verdicts", json.dumps(counts))
    print(name, counts)
    assert min(counts["both"], counts["neither"]) > 100
    assert counts["false_colliding"] < 0.1 * CONFIGURATIONS


def test_mujoco_sees_no_contact_on_any_plan(planner: Planner) -> None:
    task = load_task(ROOT / "config/tasks/peg_rect.yaml")
    socket = at(*task.socket.nominal_xyz_m)
    _fill(planner, task, socket)
    truth = _truth(planner, task, socket)
    free = [joints for joints in _configurations(planner, socket)[-200:] if planner.check_state(joints).valid]
    assert len(free) > 20
    for start, goal in pairwise(free[:13]):
        path = planner.plan(start, JointGoal(joints_rad=goal))
        for joints in path.at(np.linspace(0.0, path.duration_s, 300)):
            assert not truth.at(joints)


def _truth(planner: Planner, task: Task, socket: Poses) -> Contacts:
    allowed = neighbours(planner.profile)
    return Contacts(task, socket, np.zeros((1, 3)), table_top_m=TABLE_TOP_M, fingers_m=FINGERS_M, allowed=allowed)


def _configurations(planner: Planner, socket: Poses) -> list[Array]:
    """Half all over the joint limits, half with the tool near the plate."""
    rng = np.random.default_rng(7)
    kinematics, home = planner.profile.arm_kinematics(), np.array(planner.profile.home_rad)
    low, high = kinematics.low_rad, kinematics.high_rad
    found = list(rng.uniform(low, high, (CONFIGURATIONS // 2, 7)))
    count = CONFIGURATIONS - len(found)
    around = socket.pos_m + rng.uniform([-0.15, -0.15, 0.0], [0.15, 0.15, 0.12], (count, 3))
    turns = np.column_stack([np.pi + rng.uniform(-0.5, 0.5, count), rng.uniform(-0.5, 0.5, (count, 2))])
    near, _ = kinematics.inverse(Poses.from_xyz_rpy(around, turns), home + rng.uniform(-0.5, 0.5, (count, 7)))
    return [*found, *near]


def _fill(planner: Planner, task: Task, socket: Poses) -> None:
    scene = planner.scene
    scene.add(TABLE)
    scene.allow("table", "panda_link0")
    scene.open_fingers(FINGERS_M)
    scene.add(_object("socket", plate_pieces(task.plug.section, task.socket), socket))
    pieces = plug_pieces(task.plug.section, length_m=task.plug.length_m, depth_m=task.socket.depth_m)
    held = _object("plug", pieces, task.plug.tool_from_plug)
    scene.attach(AttachedObject(link="panda_hand_tcp", object=held, touch_links=HAND))


def _object(name: str, pieces: list[Piece], pose: Poses) -> SceneObject:
    shapes, poses = zip(*(_shape(piece) for piece in pieces), strict=True)
    return SceneObject(name=name, shapes=shapes, shape_poses=batch(list(poses)), pose=pose)


def _shape(piece: Piece) -> tuple[Shape, Poses]:
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, piece.axes.ravel())
    pose = Poses(pos_m=piece.centre_m[None], quat_xyzw=xyzw_from_wxyz(quat)[None])
    if piece.kind == "box":
        x, y, z = (2 * piece.half_size_m).tolist()
        return Box(size_m=(x, y, z)), pose
    if piece.kind == "cylinder":
        return Cylinder(radius_m=float(piece.half_size_m[0]), height_m=float(2 * piece.half_size_m[1])), pose
    return Mesh(vertices_m=piece.corners_m, triangles=ConvexHull(piece.corners_m).simplices.astype(np.int64)), pose
