"""MuJoCo models of an assembly: one per part in the hand, which is the hand's child as in training, and one without.

All other parts are free bodies. A weld would hide the contact force from the wrench, and a friction grasp creeps.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from refinery.rotations import Poses, wxyz_from_xyzw
from refinery_sim.assembly.parts import FixedBase, PartSpec
from refinery_sim.model import CellIndices, add_controller, arm_spec
from refinery_sim.parts import SOCKET_RGBA, add_part, add_piece, add_plug
from refinery_sim.plant import CellModel
from refinery_sim.scenery import hide_arm
from refinery_sim.section import half_size_m
from refinery_sim.solids import solid_pieces

FREE_CONTACT = {"solref": [0.002, 1.0], "solimp": [0.99, 0.999, 0.0005, 0.5, 2.0]}
"""Contacts among free parts: 50 g pressed with 12 N sink 3 um. Those of training would let them sink 81 um, a fifth of
a clearance. The held part keeps the contacts of its training."""
TABLE_TOP_M = -0.01
"""Height of the table, on which parts end that fall, in the arm's base frame, [m]."""
BASE = "base_part"
"""Body of the base."""
NO_MOCAP = -1
"""Mocap index where there is none."""
FINGERS = ("finger_left", "finger_right", "finger_root_left", "finger_root_right")
"""Geoms of the fingers; the ``left`` ones are on +y."""
_TIP_M, _ROOT_M = (0.018, 0.0144), (0.018, 0.026)
_TIP_Z_M, _ROOT_Z_M, _PALM_Z_M = (0.0784, 0.1123), (0.0664, 0.0784), (0.0, 0.0664)
"""Extents of tip and root of a finger (x, y), and heights of tips, roots and palm in the hand's frame, [m]; measured on
the arm model's meshes."""
_PALM_M = (0.064, 0.204)
_PAD_SHARE, _PAD_HEIGHT_M = 0.45, 0.05
"""Half the edges of what a part stands on in its tray, as a share of the part's: the fingertips pass beside it."""
_FREE_RGBA = ((0.85, 0.45, 0.1, 1), (0.75, 0.72, 0.3, 1), (0.35, 0.6, 0.4, 1), (0.6, 0.45, 0.7, 1))
_TRAY_RGBA = (0.3, 0.3, 0.33, 1)


def build_cell(base: FixedBase, parts: Sequence[PartSpec], held: str | None, *, timestep_s: float) -> CellModel:
    """Compile the cell with one part in the hand, or with none.

    Args:
        base: What stands still.
        parts: All parts.
        held: Name of the held part; None for an empty hand.
        timestep_s: Physics step, [s].

    Raises:
        ConfigError: A part's section makes no shape.
    """
    spec = arm_spec(f"assembly_{held or 'empty'}", timestep_s=timestep_s)
    # A pile that rests costs nothing only while it sleeps, island by island.
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    # Its trees are made for geoms that stay in their bodies, and the fingers do not.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_MIDPHASE
    task = next((part.task for part in parts if part.name == held), parts[0].task)
    spec.worldbody.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[2.0, 2.0, 0.1],
        pos=[0.0, 0.0, TABLE_TOP_M],
        rgba=_TRAY_RGBA,
        **_free_contact(base.friction),
    )
    _add_base(spec, base)
    _add_hand_geoms(spec)
    for i, part in enumerate(parts):
        _add_tray(spec, part)
        if part.name == held:
            add_plug(spec, part.task)
        else:
            _add_free(spec, part, _FREE_RGBA[i % len(_FREE_RGBA)])
    add_controller(spec, task)
    hide_arm(spec)
    return CellModel.of(task, *_compiled(spec, held is not None))


def _compiled(spec: mujoco.MjSpec, holds: bool) -> tuple[mujoco.MjModel, CellIndices]:
    model = spec.compile()
    body = model.body("plug" if holds else "hand").id
    indices = CellIndices(
        joints=slice(0, 7),
        cartesian=slice(0, 6),
        posture=slice(6, 13),
        tool_site=model.site("tool").id,
        plug_site=model.site("plug_tip" if holds else "tool").id,
        plug_body=body,
        plug_geoms=tuple(int(geom) for geom in np.flatnonzero(model.geom_bodyid == body)) if holds else (),
        socket_mocap=NO_MOCAP,
    )
    return model, indices


def _add_base(spec: mujoco.MjSpec, base: FixedBase) -> None:
    """Add the base. It is no mocap body, as sockets are elsewhere: what rests on one never falls asleep."""
    quat = wxyz_from_xyzw(base.pose.quat_xyzw[0])
    body = spec.worldbody.add_body(name=BASE, pos=base.pose.pos_m[0], quat=quat)
    pieces = [piece for solid in base.solids for piece in solid_pieces(solid)]
    for i, piece in enumerate(pieces):
        add_piece(spec, body, f"base_{i}", piece, rgba=SOCKET_RGBA, **_free_contact(base.friction))


def _add_free(spec: mujoco.MjSpec, part: PartSpec, rgba: tuple[float, ...]) -> None:
    """Add a part as a free body: body and joint of its name, which is what its state is carried over by."""
    quat = wxyz_from_xyzw(part.tray.quat_xyzw[0])
    body = spec.worldbody.add_body(name=part.name, pos=part.tray.pos_m[0], quat=quat)
    body.add_freejoint(name=part.name)
    add_part(spec, body, part.name, part.task, rgba=rgba, **_free_contact(part.task.socket.friction))


def _add_tray(spec: mujoco.MjSpec, part: PartSpec) -> None:
    """Add what a part stands on in its tray."""
    x, y = (2 * _PAD_SHARE * half for half in half_size_m(part.task.plug.section))
    pos = part.tray.pos_m[0] - [0.0, 0.0, _PAD_HEIGHT_M / 2]
    spec.worldbody.add_geom(
        name=f"tray_{part.name}",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[x, y, _PAD_HEIGHT_M / 2],
        pos=pos,
        quat=wxyz_from_xyzw(part.tray.quat_xyzw[0]),
        rgba=_TRAY_RGBA,
        **_free_contact(part.task.socket.friction),
    )


def _add_hand_geoms(spec: mujoco.MjSpec) -> None:
    """Add palm and fingers as boxes that touch all parts but the held one, which is the hand's child."""
    hand = spec.body("hand")
    common = {"type": mujoco.mjtGeom.mjGEOM_BOX, "mass": 0.0, "rgba": (0.9, 0.9, 0.9, 1), **_free_contact(0.4)}
    low, high = _PALM_Z_M
    size = [_PALM_M[0] / 2, _PALM_M[1] / 2, (high - low) / 2]
    hand.add_geom(name="palm", pos=[0, 0, (high + low) / 2], size=size, **common)
    for name in FINGERS:
        (x, y), (low, high) = (_ROOT_M, _ROOT_Z_M) if "root" in name else (_TIP_M, _TIP_Z_M)
        hand.add_geom(name=name, pos=[0, 0, (high + low) / 2], size=[x / 2, y / 2, (high - low) / 2], **common)


def open_jaws(model: mujoco.MjModel, width_m: float) -> None:
    """Put the fingers where the pads are a distance apart, [m]."""
    for name in FINGERS:
        geom = model.geom(name)
        side = 1.0 if "left" in name else -1.0
        geom.pos[1] = side * (width_m / 2 + geom.size[1])


def fingers_touch(model: mujoco.MjModel, touch: bool) -> None:
    """Let the fingers of a model touch other parts, or nothing."""
    for name in FINGERS:
        geom = model.geom(name)
        geom.contype[:] = geom.conaffinity[:] = int(touch)


def put_base(model: mujoco.MjModel, pose: Poses) -> None:
    """Put the base of a model to a pose in the arm's base frame, batch of one."""
    body = model.body(BASE).id
    model.body_pos[body], model.body_quat[body] = pose.pos_m[0], wxyz_from_xyzw(pose.quat_xyzw[0])


def _free_contact(friction: float) -> dict[str, object]:
    return {"contype": 1, "conaffinity": 1, "condim": 3, "friction": [friction, 0.005, 0.0001], **FREE_CONTACT}
