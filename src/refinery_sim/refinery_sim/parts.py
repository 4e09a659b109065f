"""Put plug and socket into the MuJoCo model: convex pieces as boxes, cylinders and hulls, and how they touch."""

from __future__ import annotations

import mujoco
import numpy as np

from refinery.piece import Piece
from refinery.rotations import wxyz_from_xyzw
from refinery.task import Task
from refinery_sim.pieces import task_pieces
from refinery_sim.plate import plate_pieces

CONTACT_TIME_S = 0.005
"""Time constant of contacts, [s]."""
PLUG_RGBA = (0.85, 0.45, 0.1, 1)
SOCKET_RGBA = (0.35, 0.5, 0.6, 1)
NEIGHBOUR_RGBA = (0.55, 0.55, 0.5, 1)


def add_plug(spec: mujoco.MjSpec, task: Task) -> None:
    """Add the plug as a child of the hand: geoms ``plug_0``, ... with its mass by volume, and the site of its tip."""
    hand, tool_from_plug = spec.body("hand"), task.plug.tool_from_plug
    hand_from_tool_m = np.asarray(spec.site("tool").pos)
    plug = hand.add_body(
        name="plug",
        pos=tool_from_plug.pos_m[0] + hand_from_tool_m,
        quat=wxyz_from_xyzw(tool_from_plug.quat_xyzw[0]),
        gravcomp=1,
    )
    # The plug's friction counts for all its contacts: episodes draw it, and its geoms are the fewest.
    add_part(spec, plug, "plug", task, priority=1, rgba=PLUG_RGBA, **_contact(spec, task))
    plug.add_site(name="plug_tip", group=4)


def add_part(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, task: Task, **settings: object) -> None:
    """Add a task's plug to a body: geoms ``<name>_0``, ... with its mass by volume, and further settings."""
    pieces = task_pieces(task)
    volume = sum(piece.volume_m3 for piece in pieces)
    for i, piece in enumerate(pieces):
        mass = task.plug.mass_kg * piece.volume_m3 / volume
        add_piece(spec, body, f"{name}_{i}", piece, mass=mass, **settings)


def add_socket(spec: mujoco.MjSpec, task: Task) -> None:
    """Add the socket, geoms ``socket_0`` (of a plate the bottom), ..., and what stands around, on one movable body."""
    socket = spec.worldbody.add_body(name="socket", mocap=True, pos=list(task.socket.nominal_xyz_m))
    for i, piece in enumerate(plate_pieces(task.plug.section, task.socket)):
        add_piece(spec, socket, f"socket_{i}", piece, rgba=SOCKET_RGBA, **_contact(spec, task))
    for i, neighbour in enumerate(task.socket.neighbours):
        socket.add_geom(
            name=f"neighbour_{i}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=list(neighbour.centre_m),
            size=list(neighbour.half_size_m),
            rgba=NEIGHBOUR_RGBA,
            **_contact(spec, task),
        )


def add_piece(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, piece: Piece, **settings: object) -> None:
    """Add a convex piece to a body as a geom of that name (and a mesh, if it is a hull), with further settings."""
    if piece.kind == "hull":
        spec.add_mesh(name=name, uservert=piece.corners_m.ravel(), inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX)
        body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **settings)
        return
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, piece.axes.ravel())
    kind = mujoco.mjtGeom.mjGEOM_BOX if piece.kind == "box" else mujoco.mjtGeom.mjGEOM_CYLINDER
    size = np.zeros(3)
    size[: len(piece.half_size_m)] = piece.half_size_m
    body.add_geom(name=name, type=kind, pos=piece.centre_m, size=size, quat=quat, **settings)


def _contact(spec: mujoco.MjSpec, task: Task) -> dict[str, object]:
    """Return what all pieces share: hard contacts, whose time constant MuJoCo needs to be two steps or more."""
    return {
        "contype": 1,
        "conaffinity": 1,
        "condim": 3,
        "friction": [task.socket.friction, 0.005, 0.0001],
        "solref": [max(CONTACT_TIME_S, 2 * spec.option.timestep), 1.0],
        "solimp": [0.95, 0.99, 0.0005, 0.5, 2.0],
    }
