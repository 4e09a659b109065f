"""Build the MuJoCo model of a task: Panda arm, plug rigid in the hand, socket in a full plate, impedance controller.

The Cartesian impedance law runs inside MuJoCo's own loop (refsite position servos and the SO(3) servo of MuJoCo 4), so
no Python is in the inner loop and training and twin share one controller.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from refinery.task import Task
from refinery_sim.assets import panda_mjcf
from refinery_sim.parts import add_plug, add_socket
from refinery_sim.scenery import add_finger_visuals, add_scenery, hide_arm
from refinery_sim.task import check_task

TOOL_DOWN_WXYZ = (0.0, 1.0, 0.0, 0.0)
"""Nominal tool orientation (z down) in the base frame; the SO(3) servo's rotation vectors are relative to it."""
HAND_FROM_TOOL_Z_M = 0.1034
"""Tool frame (fingertip centre, Franka hand TCP) along z of the hand frame, [m]."""
LINK7_FROM_FLANGE_Z_M = 0.107
"""Flange along z of link 7, [m]."""

POSTURE_STIFFNESS_NM_RAD = 0.5
"""Of the joint servos that keep the elbow in place during impedance control."""
ARMATURE_KG_M2 = 0.1
"""Of a joint's rotor, seen behind its gear."""


@dataclass(frozen=True, kw_only=True)
class CellIndices:
    """Where things are in the compiled model."""

    joints: slice
    """The seven arm joints in qpos and qvel."""
    cartesian: slice
    """The six Cartesian targets in ctrl: position in the base frame [m], rotation vector from TOOL_DOWN [rad]; without
    a turning servo only the three of the position."""
    posture: slice
    """The seven joint targets in ctrl, [rad]."""
    tool_site: int
    """Site of the tool (fingertips)."""
    plug_site: int
    """Site of the plug's tip."""
    plug_body: int
    """Body of the plug, child of the hand."""
    plug_geoms: tuple[int, ...]
    """The plug's colliding geoms (their friction counts)."""
    socket_mocap: int
    """Mocap index of the socket."""


def build_model(
    task: Task,
    *,
    timestep_s: float,
    posture_stiffness: float = POSTURE_STIFFNESS_NM_RAD,
    scenery: bool = True,
    turning_servo: bool = True,
) -> tuple[mujoco.MjModel, CellIndices]:
    """Compile the cell of a task.

    Args:
        task: Geometry, masses, friction and impedance.
        timestep_s: Physics step, [s].
        posture_stiffness: Of the joint servos that keep the elbow in place during impedance control, [Nm/rad].
        scenery: Add what is only looked at: the arm's meshes, table, lights and cameras.
        turning_servo: Add the servo of the tool's orientation; without it somebody else must turn the tool.

    Returns:
        The model and its indices.

    Raises:
        ConfigError: The plug's section, the plate, the chamfer and the depth do not fit together.
    """
    spec = build_spec(task, timestep_s=timestep_s)
    add_controller(spec, task, posture_stiffness, turning_servo=turning_servo)
    if scenery:
        add_finger_visuals(spec, task)
        add_scenery(spec)
    else:
        hide_arm(spec)
    model = spec.compile()
    plug = model.body("plug").id
    turning = 3 * turning_servo
    indices = CellIndices(
        joints=slice(0, 7),
        cartesian=slice(0, 3 + turning),
        posture=slice(3 + turning, 10 + turning),
        tool_site=model.site("tool").id,
        plug_site=model.site("plug_tip").id,
        plug_body=plug,
        plug_geoms=tuple(int(geom) for geom in np.flatnonzero(model.geom_bodyid == plug)),
        socket_mocap=int(model.body("socket").mocapid[0]),
    )
    return model, indices


def build_spec(task: Task, *, timestep_s: float) -> mujoco.MjSpec:
    """Describe the cell of a task without a controller: arm, plug in the hand, socket, and how they touch.

    Args:
        task: Geometry, masses and friction.
        timestep_s: Physics step, [s].

    Raises:
        ConfigError: The plug's section, the plate, the chamfer and the depth do not fit together.
    """
    check_task(task, f"task {task.name!r}")
    spec = arm_spec(f"refinery_{task.name}", timestep_s=timestep_s)
    # One arm and one part are a single island: looking for islands only costs time.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_ISLAND
    add_plug(spec, task)
    add_socket(spec, task)
    return spec


def arm_spec(name: str, *, timestep_s: float) -> mujoco.MjSpec:
    """Describe the arm with its hand, body ``hand`` and site ``tool``, and the solver.

    Args:
        name: Of the model.
        timestep_s: Physics step, [s].
    """
    spec = mujoco.MjSpec.from_file(str(panda_mjcf()))
    spec.modelname = name
    spec.meshdir = spec.texturedir = str(panda_mjcf().parent)
    option = spec.option
    option.timestep = timestep_s
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.solver = mujoco.mjtSolver.mjSOL_NEWTON
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.iterations, option.ls_iterations = 20, 20
    _strip_arm(spec)
    _add_hand(spec)
    return spec


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
        joint.armature = ARMATURE_KG_M2


def _add_hand(spec: mujoco.MjSpec) -> None:
    flange = spec.body("panda_link8")
    hand = flange.add_body(name="hand", quat=[np.cos(-np.pi / 8), 0, 0, np.sin(-np.pi / 8)], gravcomp=1)
    hand.mass, hand.inertia, hand.ipos, hand.explicitinertial = 0.73, [1e-3, 2.5e-3, 1.7e-3], [-0.01, 0, 0.03], 1
    hand.add_site(name="tool", pos=[0, 0, HAND_FROM_TOOL_Z_M], group=4)


def add_controller(
    spec: mujoco.MjSpec,
    task: Task,
    posture_stiffness: float = POSTURE_STIFFNESS_NM_RAD,
    *,
    turning_servo: bool = True,
) -> None:
    """Add the impedance: three position servos and one SO(3) servo at the tool, and weak joint servos."""
    spec.worldbody.add_site(name="base", group=4)
    spec.worldbody.add_site(name="tool_down", quat=list(TOOL_DOWN_WXYZ), group=4)
    control = task.control
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
        servo.set_to_position(kp=control.stiffness[axis], kv=control.damping[axis])
    if turning_servo:
        rot = spec.add_actuator(
            name="impedance_rot",
            trntype=mujoco.mjtTrn.mjTRN_SITE,
            target="tool",
            refsite="tool_down",
        )
        rot.set_to_orientation(kp=control.turning_stiffness, kv=control.damping[3])
    for joint in range(1, 8):
        servo = spec.add_actuator(
            name=f"posture_{joint}", trntype=mujoco.mjtTrn.mjTRN_JOINT, target=f"panda_joint{joint}"
        )
        servo.set_to_position(kp=posture_stiffness, kv=posture_damping(posture_stiffness))


def posture_damping(stiffness_nm_rad: float) -> float:
    """Damping of the joint servos that keep the elbow in place: critical for a rotor alone, [Nm s/rad]."""
    return float(2 * np.sqrt(stiffness_nm_rad * ARMATURE_KG_M2))
