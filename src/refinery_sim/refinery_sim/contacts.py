"""What touches what in MuJoCo, for checks that must not share a collision library with the planner.

The twin's own physics knows contacts of the plug only (an arm that follows a checked plan needs no more); here the
whole arm has its meshes, each as its convex hull, among the same plate, neighbours and table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import mujoco
import numpy as np

from refinery.piece import Piece
from refinery.rotations import Array, Poses, wxyz_from_xyzw, xyzw_from_wxyz
from refinery.task import Task
from refinery_sim.assets import panda_mjcf
from refinery_sim.model import HAND_FROM_TOOL_Z_M
from refinery_sim.parts import add_piece
from refinery_sim.pieces import task_pieces
from refinery_sim.plate import plate_pieces

HAND = ("panda_hand", "panda_leftfinger", "panda_rightfinger")
"""Links that may touch the part they hold."""
PLUG, SOCKET, TABLE = "plug", "socket", "table"
"""Names of what is not a link."""
_HAND_FROM_FINGERS_Z_M = 0.0584
_TABLE_HALF_M = (1.5, 1.5, 0.025)


class Contacts:
    """The Panda with its hand and a held part, beside a socket on a table.

    Args:
        task: Its part, plate and what stands around.
        socket: Socket pose in the base frame, batch of one.
        grasp: How the part sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`.
        table_top_m: Height of the table's top in the base frame, [m].
        fingers_m: How far each finger is from the middle, [m].
        allowed: Pairs of names that may touch; the arm's base and its table always may, and hand and part.
    """

    def __init__(
        self,
        task: Task,
        socket: Poses,
        grasp: Array,
        *,
        table_top_m: float,
        fingers_m: float,
        allowed: Iterable[Collection[str]] = (),
    ) -> None:
        self._allowed = {tuple(sorted(pair)) for pair in allowed}
        self._allowed |= {tuple(sorted((PLUG, link))) for link in (*HAND, "panda_link7")}
        self._allowed.add(("panda_link0", TABLE))
        spec = _arm_and_hand()
        plug = spec.body(HAND[0]).add_body(name=PLUG, pos=[0, 0, 0], quat=[1, 0, 0, 0])
        hand_from_tool = Poses.from_xyz_rpy((0.0, 0.0, HAND_FROM_TOOL_Z_M), (0.0, 0.0, 0.0))
        hand_from_plug = hand_from_tool @ task.plug.tool_from_plug_at(grasp)
        plug.pos, plug.quat = hand_from_plug.pos_m[0], wxyz_from_xyzw(hand_from_plug.quat_xyzw[0])
        _add_pieces(spec, plug, task_pieces(task))
        plate = spec.worldbody.add_body(
            name=SOCKET, pos=socket.pos_m[0], quat=wxyz_from_xyzw(socket.quat_xyzw[0]).tolist()
        )
        _add_pieces(spec, plate, plate_pieces(task.plug.section, task.socket))
        box = mujoco.mjtGeom.mjGEOM_BOX
        for neighbour in task.socket.neighbours:
            plate.add_geom(type=box, pos=list(neighbour.centre_m), size=list(neighbour.half_size_m))
        table = spec.worldbody.add_body(name=TABLE, pos=[0, 0, table_top_m - _TABLE_HALF_M[2]])
        table.add_geom(type=box, size=list(_TABLE_HALF_M))
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._tool = self._model.site("tool").id
        for finger in HAND[1:]:
            self._data.qpos[self._model.joint(f"slide_{finger}").qposadr[0]] = fingers_m

    def at(self, joints_rad: Array) -> set[tuple[str, str]]:
        """Return the pairs that touch, each in alphabetical order, with the joints (7,) at these angles [rad]."""
        model, data = self._model, self._data
        data.qpos[:7] = joints_rad
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_collision(model, data)
        found = set()
        for contact in data.contact[: data.ncon]:
            if contact.dist < 0:
                first, second = sorted(model.body(int(model.geom_bodyid[geom])).name for geom in contact.geom)
                found.add((first, second))
        return found - self._allowed

    def tool(self, joints_rad: Array) -> Poses:
        """Return the tool pose in the base frame, batch of one, with the joints (7,) at these angles [rad]."""
        self._data.qpos[:7] = joints_rad
        mujoco.mj_kinematics(self._model, self._data)
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._data.site_xmat[self._tool])
        return Poses(pos_m=self._data.site_xpos[self._tool][None].copy(), quat_xyzw=xyzw_from_wxyz(quat)[None])


def _arm_and_hand() -> mujoco.MjSpec:
    spec = mujoco.MjSpec.from_file(str(panda_mjcf()))
    spec.meshdir = spec.texturedir = str(panda_mjcf().parent)
    spec.compiler.discardvisual = False
    for mesh in ("hand", "finger"):
        spec.add_mesh(name=mesh, file=f"{mesh}.obj")
    kind = mujoco.mjtGeom
    hand = spec.body("panda_link8").add_body(name=HAND[0], quat=[np.cos(np.pi / 8), 0, 0, -np.sin(np.pi / 8)])
    hand.add_geom(type=kind.mjGEOM_MESH, meshname="hand")
    hand.add_site(name="tool", pos=[0, 0, HAND_FROM_TOOL_Z_M])
    for side, quat, finger in ((1, [1, 0, 0, 0], HAND[1]), (-1, [0, 0, 0, 1], HAND[2])):
        body = hand.add_body(name=finger, pos=[0, 0, _HAND_FROM_FINGERS_Z_M])
        body.add_joint(name=f"slide_{finger}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, side, 0])
        body.add_geom(type=kind.mjGEOM_MESH, meshname="finger", quat=quat)
    return spec


def _add_pieces(spec: mujoco.MjSpec, body: mujoco.MjsBody, pieces: Iterable[Piece]) -> None:
    for i, piece in enumerate(pieces):
        add_piece(spec, body, f"{body.name}_{i}", piece)
