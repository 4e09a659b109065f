"""Build the MuJoCo model of a task: Panda arm, plug rigid in the hand, socket of exact convex pieces in a full plate.

The Cartesian impedance law runs inside MuJoCo's own loop (refsite position servos and the SO(3) servo of MuJoCo 4), so
no Python is in the inner loop and training and twin share one controller. Contact settings: shared reference
``sim.md`` section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from refinery.cell.assets import panda_mjcf
from refinery.rotations import wxyz_from_xyzw
from refinery.task import Task

TOOL_DOWN_WXYZ = (0.0, 1.0, 0.0, 0.0)
"""Nominal tool orientation (z down) in the base frame; the SO(3) servo's rotation vectors are relative to it."""
HAND_TO_TOOL_M = 0.1034
"""Fingertip centre along z of the hand frame (Franka hand TCP), [m]."""
FLANGE_M = 0.107
"""Flange along z of link 7, [m]."""
APPARENT_MASS_KG = 4.0
"""Rough apparent mass of the arm at the tool (with the joints' armature), for the damping ratio, [kg]."""
APPARENT_INERTIA_KGM2 = 0.06
"""Rough apparent inertia at the tool, [kg m^2]."""


@dataclass(frozen=True, kw_only=True)
class CellIndices:
    """Where things are in the compiled model."""

    joints: slice
    """The seven arm joints in qpos and qvel."""
    cartesian: slice
    """The six Cartesian targets in ctrl: position in the base frame [m], rotation vector from TOOL_DOWN [rad]."""
    posture: slice
    """The seven joint targets in ctrl, [rad]."""
    tool_site: int
    """Site of the tool (fingertips)."""
    plug_site: int
    """Site of the plug's tip."""
    socket_mocap: int
    """Mocap index of the socket."""


def build_model(task: Task, *, timestep_s: float, posture_stiffness: float = 0.5) -> tuple[mujoco.MjModel, CellIndices]:
    """Compile the cell of a task.

    Args:
        task: Geometry, masses, friction and impedance.
        timestep_s: Physics step, [s].
        posture_stiffness: Of the joint servos that keep the elbow in place during impedance control, [Nm/rad].

    Returns:
        The model and its indices.
    """
    spec = mujoco.MjSpec.from_file(str(panda_mjcf()))
    spec.modelname = f"refinery_{task.name}"
    spec.meshdir = spec.texturedir = str(panda_mjcf().parent)
    option = spec.option
    option.timestep = timestep_s
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.solver = mujoco.mjtSolver.mjSOL_NEWTON
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.iterations, option.ls_iterations = 20, 20
    _strip_arm(spec)
    _add_hand_and_plug(spec, task)
    _add_socket(spec, task)
    _add_controller(spec, task, posture_stiffness)
    _add_scenery(spec)
    model = spec.compile()
    indices = CellIndices(
        joints=slice(0, 7),
        cartesian=slice(0, 6),
        posture=slice(6, 13),
        tool_site=model.site("tool").id,
        plug_site=model.site("plug_tip").id,
        socket_mocap=int(model.body("socket").mocapid[0]),
    )
    return model, indices


def _strip_arm(spec: mujoco.MjSpec) -> None:
    """Make arm meshes visual, drop torque sensors, and set the joints to what a torque-controlled Franka presents.

    The joints' torque loops compensate most friction on the real arm, so dry friction is left out and a little viscous
    damping and rotor armature kept.
    """
    for sensor in list(spec.sensors):
        spec.delete(sensor)
    for geom in spec.geoms:
        geom.contype = geom.conaffinity = 0
        geom.group = 2
    for joint in spec.joints:
        joint.frictionloss = 0.0
        joint.damping = np.array([0.5, 0.0, 0.0])
        joint.armature = 0.1


def _add_hand_and_plug(spec: mujoco.MjSpec, task: Task) -> None:
    for name in ("hand", "finger"):
        spec.add_mesh(name=name, file=f"{name}.obj")
    flange = spec.body("panda_link8")
    hand = flange.add_body(name="hand", quat=[np.cos(-np.pi / 8), 0, 0, np.sin(-np.pi / 8)], gravcomp=1)
    visual = {"contype": 0, "conaffinity": 0, "group": 2, "mass": 0.0}
    hand.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="hand", **visual)
    hand.mass, hand.inertia, hand.ipos, hand.explicitinertial = 0.73, [1e-3, 2.5e-3, 1.7e-3], [-0.01, 0, 0.03], 1
    half_x, half_y = task.plug.half_size_m
    for side in (1, -1):
        hand.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname="finger",
            pos=[0, side * half_y, 0.0584],
            quat=[1, 0, 0, 0] if side == 1 else [0, 0, 0, 1],
            **visual,
        )
    hand.add_site(name="tool", pos=[0, 0, HAND_TO_TOOL_M], group=4)
    grasp = task.plug.tool_from_plug
    plug = hand.add_body(
        name="plug",
        pos=grasp.pos_m[0] + [0, 0, HAND_TO_TOOL_M],
        quat=wxyz_from_xyzw(grasp.quat_xyzw[0]),
        gravcomp=1,
    )
    half_length = task.plug.length_m / 2
    plug.add_geom(
        name="plug",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[half_x, half_y, half_length],
        pos=[0, 0, half_length],
        mass=task.plug.mass_kg,
        rgba=[0.85, 0.45, 0.1, 1],
        **_contact(task),
    )
    plug.add_site(name="plug_tip", group=4)


def _contact(task: Task) -> dict[str, object]:
    return {
        "contype": 1,
        "conaffinity": 1,
        "condim": 3,
        "friction": [task.socket.friction, 0.005, 0.0001],
        "solref": [0.005, 1.0],
        "solimp": [0.95, 0.99, 0.0005, 0.5, 2.0],
    }


def _add_socket(spec: mujoco.MjSpec, task: Task) -> None:
    """Add the plate as four boxes that leave exactly the plug's section plus the clearance, on a closed bottom."""
    socket = spec.worldbody.add_body(name="socket", mocap=True, pos=list(task.socket.nominal_xyz_m))
    half_x, half_y = (half + task.socket.clearance_m for half in task.plug.half_size_m)
    plate, depth = task.socket.plate_half_size_m, task.socket.depth_m
    box_x, box_y = (plate - half_x) / 2, (plate - half_y) / 2
    pieces = {
        "+x": ([box_x, plate, depth / 2], [half_x + box_x, 0, depth / 2]),
        "-x": ([box_x, plate, depth / 2], [-half_x - box_x, 0, depth / 2]),
        "+y": ([half_x, box_y, depth / 2], [0, half_y + box_y, depth / 2]),
        "-y": ([half_x, box_y, depth / 2], [0, -half_y - box_y, depth / 2]),
        "bottom": ([plate, plate, 0.01], [0, 0, -0.01]),
    }
    for name, (size, pos) in pieces.items():
        socket.add_geom(
            name=f"socket_{name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=size,
            pos=pos,
            rgba=[0.35, 0.5, 0.6, 1],
            **_contact(task),
        )


def _add_controller(spec: mujoco.MjSpec, task: Task, posture_stiffness: float) -> None:
    """Add the impedance: three position servos and one SO(3) servo at the tool, clamped, and weak joint servos."""
    spec.worldbody.add_site(name="base", group=4)
    spec.worldbody.add_site(name="tool_down", quat=list(TOOL_DOWN_WXYZ), group=4)
    control = task.control
    damping = [2 * control.damping_ratio * np.sqrt(k * APPARENT_MASS_KG) for k in control.stiffness[:3]]
    for axis in range(3):
        gear = np.zeros(6)
        gear[axis] = 1
        servo = spec.add_actuator(
            name=f"impedance_{'xyz'[axis]}",
            trntype=mujoco.mjtTrn.mjTRN_SITE,
            target="tool",
            refsite="base",
            gear=gear,
        )
        servo.set_to_position(kp=control.stiffness[axis], kv=damping[axis])
    k_rot = float(np.mean(control.stiffness[3:]))
    d_rot = 2 * control.damping_ratio * np.sqrt(k_rot * APPARENT_INERTIA_KGM2)
    rot = spec.add_actuator(
        name="impedance_rot",
        trntype=mujoco.mjtTrn.mjTRN_SITE,
        target="tool",
        refsite="tool_down",
    )
    rot.set_to_orientation(kp=k_rot, kv=d_rot)
    for joint in range(1, 8):
        servo = spec.add_actuator(
            name=f"posture_{joint}", trntype=mujoco.mjtTrn.mjTRN_JOINT, target=f"panda_joint{joint}"
        )
        servo.set_to_position(kp=posture_stiffness, kv=2 * np.sqrt(posture_stiffness * 0.1))


def _add_scenery(spec: mujoco.MjSpec) -> None:
    """Table, pedestal, backdrop, lights and two cameras, for the pictures only: nothing here collides or has weight."""
    looks = {"contype": 0, "conaffinity": 0, "mass": 0.0}
    box = mujoco.mjtGeom.mjGEOM_BOX
    spec.worldbody.add_geom(type=box, size=[0.45, 0.45, 0.02], pos=[0.3, 0, -0.03], rgba=[0.80, 0.79, 0.77, 1], **looks)
    socket = spec.body("socket")
    # From under the closed bottom of the plate down to the table.
    half_height = max(float(socket.pos[2]) - 0.01, 0.002) / 2
    size, pos = [0.045, 0.045, half_height], [0, 0, -0.02 - half_height]
    socket.add_geom(type=box, size=size, pos=pos, rgba=[0.42, 0.44, 0.47, 1], **looks)
    spec.add_texture(
        name="backdrop",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.93, 0.95, 0.97],
        rgb2=[0.62, 0.67, 0.73],
        width=128,
        height=768,
    )
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.3, 0.3, 0.3]
    spec.visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.visual.quality.shadowsize = 8192
    spec.visual.quality.offsamples = 8
    # The light that casts shadows comes from beside the camera, so that the hand does not darken the hole.
    spec.worldbody.add_light(
        pos=[1.3, -0.35, 1.15], dir=[-0.85, 0.35, -0.95], diffuse=[0.42, 0.42, 0.4], castshadow=True, cutoff=60
    )
    spec.worldbody.add_light(
        pos=[0.0, 1.4, 1.5], dir=[0.25, -0.8, -1.0], diffuse=[0.2, 0.2, 0.23], castshadow=False, cutoff=80
    )
    spec.worldbody.add_camera(name="cell", pos=[1.40, -1.0, 0.80], xyaxes=[0.66, 0.75, 0, -0.25, 0.22, 0.943], fovy=42)
    spec.worldbody.add_camera(name="close", pos=[0.75, -0.25, 0.30], xyaxes=[0.7, 0.71, 0, -0.34, 0.335, 0.88], fovy=30)
