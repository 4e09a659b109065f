"""The arm, the plug and the socket in MuJoCo at 1 kHz, under an impedance or a joint trajectory controller.

Both controllers are servos inside MuJoCo's own loop; switching between them swaps their gains. Two differences to a
real controller matter: the distance of target and measured pose is clipped once, when a target arrives (a real
impedance controller clips it at every one of its 1 kHz cycles, here the cycles run in C), and the rotational stiffness
is one number for all axes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from refinery.errors import RefineryError
from refinery.force_bound import spring_limits
from refinery.rotations import Array, Poses, wxyz_from_xyzw, xyzw_from_wxyz
from refinery.task import Task
from refinery_sim.held_plug import hold_plug
from refinery_sim.model import TOOL_DOWN_WXYZ, CellIndices, build_model
from refinery_sim.trajectory import JointLimits, JointTrajectory

TIMESTEP_S = 0.001
"""Physics and control period, [s]."""
KP_NM_RAD = np.array([600.0, 600.0, 600.0, 600.0, 250.0, 150.0, 50.0])
"""Of the joint trajectory controller, joints 1..7, [Nm/rad] (franka_fr3_moveit_config, fr3_arm_controller)."""
KD_NM_S_RAD = np.array([30.0, 30.0, 30.0, 30.0, 10.0, 10.0, 5.0])
"""Of the joint trajectory controller, joints 1..7, [Nm s/rad]."""
MAX_STIFFNESS = np.array([900.0, 900.0, 900.0, 60.0, 60.0, 60.0])
"""Largest stiffness that is taken, [N/m] and [Nm/rad] (crisp_controllers' variable_max_stiffness)."""
WRENCH_FILTER_S = 0.01
"""Time constant of the external wrench estimate, [s]."""
_IMPEDANCE_ROWS, _JOINT_ROWS = slice(0, 4), slice(4, 11)
_DOWN_INVERSE = Rotation.from_quat(xyzw_from_wxyz(TOOL_DOWN_WXYZ)).inv()


class Mode(enum.Enum):
    """Which controller drives the arm."""

    TRAJECTORY = "trajectory"
    """Joint trajectory controller: follows a trajectory, then holds its goal."""
    IMPEDANCE = "impedance"
    """Cartesian impedance controller: pulls the tool to a target pose."""
    IDLE = "none"
    """No controller: the robot holds itself where it is, as one does whose control loop has ended."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CellModel:
    """A compiled cell with its state."""

    task: Task
    """Geometry of the held part, and impedance."""
    model: mujoco.MjModel
    """Of the cell; its gains change with the controller."""
    at: CellIndices
    """Where things are in it."""
    data: mujoco.MjData
    """Its state."""
    impedance_gain: Array
    """``actuator_gainprm`` under the impedance controller."""
    impedance_bias: Array
    """``actuator_biasprm`` under the impedance controller."""

    @classmethod
    def of(cls, task: Task, model: mujoco.MjModel, at: CellIndices) -> CellModel:
        """Take a model as it was compiled."""
        return cls(
            task=task,
            model=model,
            at=at,
            data=mujoco.MjData(model),
            impedance_gain=model.actuator_gainprm.copy(),
            impedance_bias=model.actuator_biasprm.copy(),
        )


class Plant:
    """The simulated cell.

    Args:
        task: Geometry and impedance.
        home_rad: Joints after :meth:`reset`, shape (7,), [rad].
    """

    def __init__(self, task: Task, home_rad: ArrayLike) -> None:
        self._home = np.asarray(home_rad, dtype=np.float64).copy()
        self._use(CellModel.of(task, *build_model(task, timestep_s=TIMESTEP_S)))
        self._begin()

    def _use(self, cell: CellModel) -> None:
        """Simulate a cell from now on."""
        self.task = cell.task
        self._model, self._at, self._data = cell.model, cell.at, cell.data
        self._impedance_gain, self._impedance_bias = cell.impedance_gain, cell.impedance_bias
        self._stiffness = self._task_stiffness()
        stretch, twist = spring_limits(cell.task.control)
        self._max_stretch, self._max_twist = np.asarray(stretch), np.asarray(twist)
        self._root = int(cell.model.body_rootid[cell.at.plug_body])

    def _task_stiffness(self) -> Array:
        return np.array([*self._impedance_gain[:3, 0], self._impedance_gain[3, 0]])

    def _begin(self) -> None:
        """Set what does not depend on the cell, and reset it."""
        self._steps = 0
        self._trajectory: JointTrajectory | None = None
        self._trajectory_start = 0
        self.commands = 0
        """How often the joints have been told something new: to follow a trajectory, to hold, to yield to impedance.
        Whoever remembers the number after :meth:`follow` sees whether that trajectory still counts."""
        self._control_bias = np.zeros(3)
        self._raw_wrench, self._wrench = np.zeros(6), np.zeros(6)
        self.mode = Mode.TRAJECTORY
        """The controller that drives the arm."""
        self.reset()

    @property
    def steps(self) -> int:
        """Physics steps since the plant was made; never goes back, not even at a reset."""
        return self._steps

    @property
    def time_s(self) -> float:
        """Simulated time, [s]."""
        return self._steps * TIMESTEP_S

    @property
    def joint_limits_rad(self) -> tuple[Array, Array]:
        """Lower and upper joint limits of the model, each (7,), [rad]."""
        span = self._model.jnt_range[:7]
        return span[:, 0].copy(), span[:, 1].copy()

    @property
    def joints_rad(self) -> Array:
        """Joint positions, shape (7,), [rad]; a view."""
        return np.asarray(self._data.qpos[self._at.joints])

    @property
    def joint_velocities_rad_s(self) -> Array:
        """Joint velocities, shape (7,), [rad/s]; a view."""
        return np.asarray(self._data.qvel[self._at.joints])

    @property
    def joint_efforts_nm(self) -> Array:
        """Torques behind the gears, the part that carries the arm's weight included, shape (7,), [Nm]."""
        return np.asarray(self._data.qfrc_actuator[:7] + self._data.qfrc_gravcomp[:7])

    @property
    def tool(self) -> Poses:
        """Tool pose in the base frame, batch of one."""
        return self._site(self._at.tool_site)

    @property
    def plug(self) -> Poses:
        """True plug pose in the base frame, batch of one."""
        return self._site(self._at.plug_site)

    @property
    def tool_position_m(self) -> Array:
        """Tool position in the base frame, shape (3,), [m]; a view."""
        return np.asarray(self._data.site_xpos[self._at.tool_site])

    def tool_quat_wxyz(self, out: Array) -> None:
        """Write the tool's orientation in the base frame to ``out``, shape (4,), wxyz."""
        mujoco.mju_mat2Quat(out, self._data.site_xmat[self._at.tool_site])

    @property
    def socket(self) -> Poses:
        """True socket pose in the base frame, batch of one."""
        row = self._at.socket_mocap
        return Poses.single(self._data.mocap_pos[row], xyzw_from_wxyz(self._data.mocap_quat[row]))

    @property
    def external_wrench(self) -> Array:
        """Estimate of the world's force [N] and torque about the tool [Nm] on it, base axes, shape (6,); a view."""
        return self._wrench

    @property
    def contact_force_n(self) -> float:
        """Net contact force on the plug at the last physics step, unfiltered, [N]."""
        return float(np.linalg.norm(self._raw_wrench[:3]))

    @property
    def commanded_force_n(self) -> Array:
        """Force the impedance spring asks for, base axes, shape (3,), [N]; zero unless it drives the arm."""
        if self.mode is not Mode.IMPEDANCE:
            return np.zeros(3)
        return np.asarray(self._stiffness[:3] * (self._data.ctrl[0:3] - self.tool_position_m))

    @property
    def moving(self) -> bool:
        """Whether a trajectory is being followed and its end has not come yet."""
        running = self._trajectory
        return running is not None and (self._steps - self._trajectory_start) * TIMESTEP_S < running.duration_s

    def joint_limits(self, velocity_rad_s: ArrayLike) -> JointLimits:
        """Return the model's joint limits with the given largest speeds, (7,), [rad/s]."""
        low, high = self.joint_limits_rad
        return JointLimits(low_rad=low, high_rad=high, velocity_rad_s=np.asarray(velocity_rad_s, dtype=np.float64))

    def reset(
        self,
        *,
        socket: Poses | None = None,
        grasp: Array | None = None,
        friction: float | None = None,
        control_bias_m: ArrayLike = (0.0, 0.0, 0.0),
    ) -> None:
        """Put the arm home at rest, under the trajectory controller and with the task's stiffness; set up the cell.

        Args:
            socket: Socket pose in the base frame, batch of one; where it is by default.
            grasp: How the plug sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`,
                [m, m, rad]; as it does by default.
            friction: Sliding friction coefficient between plug and socket, >= 0; as it is by default.
            control_bias_m: Error of every commanded tool position from now on, shape (3,), [m].
        """
        old = self.socket
        mujoco.mj_resetData(self._model, self._data)
        socket = old if socket is None else socket
        self._put_socket(socket)
        if grasp is not None:
            hold_plug(self._model, self._at, self.task.plug, grasp)
        if friction is not None:
            # The plug's geoms decide on the friction of their contacts (they have priority).
            self._model.geom_friction[list(self._at.plug_geoms), 0] = friction
        self._data.qpos[self._at.joints] = self._home
        self._control_bias = np.asarray(control_bias_m, dtype=np.float64).copy()
        self._stiffness = self._task_stiffness()
        self._raw_wrench[:] = self._wrench[:] = 0.0
        mujoco.mj_forward(self._model, self._data)
        self._hold(Mode.TRAJECTORY)

    def move_arm(self, joints_rad: ArrayLike) -> None:
        """Put the arm at rest to joints (7,), [rad], without a way there; it holds them from now on."""
        self._data.qpos[self._at.joints] = joints_rad
        self._data.qvel[self._at.joints] = 0.0
        self._raw_wrench[:] = self._wrench[:] = 0.0
        mujoco.mj_forward(self._model, self._data)
        self._hold(Mode.TRAJECTORY)

    def set_mode(self, mode: Mode) -> None:
        """Switch controllers: the new one, or the same anew, starts from where the arm is, so nothing jumps."""
        if mode is not Mode.IMPEDANCE:
            self._hold(mode)
            return
        self.mode = mode
        self.commands += 1
        self._trajectory = None
        self._set_gains()
        tool = self.tool
        # The arm does not know its own calibration error, so holding the measured pose is exact: no bias here.
        self._data.ctrl[0:3] = tool.pos_m[0]
        self._data.ctrl[3:6] = (_DOWN_INVERSE * tool.rotation).as_rotvec()[0]
        self._data.ctrl[self._at.posture] = self.joints_rad

    def set_target(self, target: Poses) -> Poses:
        """Command the impedance controller; ignored (but clipped all the same) unless it drives the arm.

        Args:
            target: Of the tool in the base frame, batch of one.

        Returns:
            The target after clipping its distance from the measured pose to ``task.control.max_error`` per base axis
            (the force bound: :mod:`refinery.force_bound`).
        """
        measured = self.tool
        away = np.clip(target.pos_m[0] - measured.pos_m[0], -self._max_stretch, self._max_stretch)
        turn = (target.rotation * measured.rotation.inv()).as_rotvec()[0]
        turn = np.clip(turn, -self._max_twist, self._max_twist)
        rotation = Rotation.from_rotvec(turn) * measured.rotation
        clipped = Poses(pos_m=measured.pos_m + away, quat_xyzw=np.atleast_2d(rotation.as_quat()))
        if self.mode is Mode.IMPEDANCE:
            self._data.ctrl[0:3] = clipped.pos_m[0] + self._control_bias
            self._data.ctrl[3:6] = (_DOWN_INVERSE * clipped.rotation).as_rotvec()[0]
        return clipped

    def set_stiffness(self, stiffness: ArrayLike) -> None:
        """Change the impedance's stiffness; its damping stays, as crisp_controllers does with its stiffness topic.

        Args:
            stiffness: x, y, z [N/m], rx, ry, rz [Nm/rad], each in [0, :data:`MAX_STIFFNESS`]; the simulated rotational
                servo has one stiffness, the mean of the three.

        Raises:
            RefineryError: Not six finite values in range.
        """
        values = np.asarray(stiffness, dtype=np.float64)
        if values.shape != (6,) or not np.all((values >= 0) & (values <= MAX_STIFFNESS)):
            raise RefineryError(
                f"target stiffness: expected 6 values from 0 to {MAX_STIFFNESS.tolist()} [N/m, Nm/rad], "
                f"got {values.tolist()}"
            )
        self._stiffness = np.array([*values[:3], values[3:].mean()])
        if self.mode is Mode.IMPEDANCE:
            self._apply_stiffness()

    def follow(self, trajectory: JointTrajectory) -> None:
        """Follow a trajectory from now on, in place of any earlier one.

        Raises:
            RefineryError: The trajectory controller is not active.
        """
        if self.mode is not Mode.TRAJECTORY:
            raise RefineryError("the trajectory controller is not active: switch to the trajectory controller first")
        self.commands += 1
        self._trajectory = trajectory
        self._trajectory_start = self._steps

    def stop_trajectory(self) -> None:
        """Hold the present joints instead of following a trajectory; no effect unless that controller is active."""
        if self.mode is Mode.TRAJECTORY:
            self._hold(Mode.TRAJECTORY)

    def step(self, count: int = 1) -> None:
        """Advance by ``count`` physics steps.

        Raises:
            RefineryError: The simulation diverged.
        """
        before = self._data.time
        if self._trajectory is None:
            mujoco.mj_step(self._model, self._data, count)
        else:
            self._step_along(self._trajectory, count)
        self._steps += count
        # MuJoCo resets itself (time included) when a number overflows; without this check the arm would jump to zero.
        if abs(self._data.time - before - count * TIMESTEP_S) > TIMESTEP_S / 2:
            raise RefineryError("the simulation diverged (MuJoCo reset itself); start a new trial")
        mujoco.mj_rnePostConstraint(self._model, self._data)
        self._measure_wrench(count * TIMESTEP_S)
        mujoco.mj_kinematics(self._model, self._data)

    def _step_along(self, trajectory: JointTrajectory, count: int) -> None:
        elapsed = np.arange(1, count + 1, dtype=np.float64) * TIMESTEP_S
        elapsed += (self._steps - self._trajectory_start) * TIMESTEP_S
        positions, velocities = trajectory.sample(elapsed)
        # A position servo pulls with kp (ctrl - q) - kd dq; this makes it kp (q_des - q) + kd (dq_des - dq).
        commands = positions + velocities * (KD_NM_S_RAD / KP_NM_RAD)
        for command in commands:
            self._data.ctrl[self._at.posture] = command
            mujoco.mj_step(self._model, self._data)
        if elapsed[-1] >= trajectory.duration_s:
            self._trajectory = None

    def _measure_wrench(self, duration_s: float) -> None:
        """Low-pass the force on the plug; MuJoCo keeps it as (torque, force) about the arm's centre of mass."""
        spatial = self._felt()
        arm = self._data.subtree_com[self._root] - self._data.site_xpos[self._at.tool_site]
        self._raw_wrench[:3] = spatial[3:]
        self._raw_wrench[3:] = spatial[:3] + np.cross(arm, spatial[3:])
        share = 1.0 - np.exp(-duration_s / WRENCH_FILTER_S)
        self._wrench += share * (self._raw_wrench - self._wrench)

    def _put_socket(self, pose: Poses) -> None:
        """Put the socket to a pose in the base frame, batch of one."""
        row = self._at.socket_mocap
        self._data.mocap_pos[row] = pose.pos_m[0]
        self._data.mocap_quat[row] = wxyz_from_xyzw(pose.quat_xyzw[0])

    def _felt(self) -> Array:
        """Return the world's torque and force on what the arm carries, shape (6,)."""
        return np.asarray(self._data.cfrc_ext[self._at.plug_body])

    def _hold(self, mode: Mode) -> None:
        """Hold the present joints with the trajectory controller, or by the robot itself, which is as stiff here."""
        self.mode = mode
        self.commands += 1
        self._trajectory = None
        self._set_gains()
        self._data.ctrl[self._at.posture] = self.joints_rad

    def _set_gains(self) -> None:
        """Give the servos the gains of the present mode."""
        if self.mode is Mode.IMPEDANCE:
            self._model.actuator_gainprm[:] = self._impedance_gain
            self._model.actuator_biasprm[:] = self._impedance_bias
            self._apply_stiffness()
            return
        self._model.actuator_gainprm[_IMPEDANCE_ROWS, 0] = 0.0
        self._model.actuator_biasprm[_IMPEDANCE_ROWS, 1:3] = 0.0
        self._model.actuator_gainprm[_JOINT_ROWS, 0] = KP_NM_RAD
        self._model.actuator_biasprm[_JOINT_ROWS, 1] = -KP_NM_RAD
        self._model.actuator_biasprm[_JOINT_ROWS, 2] = -KD_NM_S_RAD

    def _apply_stiffness(self) -> None:
        self._model.actuator_gainprm[_IMPEDANCE_ROWS, 0] = self._stiffness
        self._model.actuator_biasprm[_IMPEDANCE_ROWS, 1] = -self._stiffness

    def _site(self, site: int) -> Poses:
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._data.site_xmat[site])
        return Poses(pos_m=self._data.site_xpos[site][None].copy(), quat_xyzw=xyzw_from_wxyz(quat)[None])
