"""What one kind of robot cell is called and can do (``config/robots/*.yaml``): nothing of this stands in code."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from refinery.bringup.robot_launch import DriverSpec
from refinery.config import check, load_dataclass
from refinery.kinematics import ArmKinematics
from refinery.paths import config_file
from refinery.robot_interface import ControllerSpec, MoveItSpec, ServiceSpec, TopicsSpec, check_name
from refinery.rotations import Poses

Vec3 = tuple[float, float, float]
Vec6 = tuple[float, float, float, float, float, float]
PerJoint = tuple[float, ...]
"""One value for each joint of the arm, from the base on."""
_LEAST_JOINTS = 6
_SIMULATED_JOINTS = 7


@dataclass(frozen=True, kw_only=True)
class FramesSpec:
    """Coordinate frames, by their tf names."""

    base: str
    """Frame of measured and commanded poses; every stamped pose is checked against it."""
    flange: str
    """Last link of the arm."""
    tool: str
    """Gripper tool frame (between the fingertips), the end effector of robot and controller."""

    def __post_init__(self) -> None:
        """Validate names."""
        for name, value in vars(self).items():
            check(bool(value) and not value.startswith("/"), name, "a frame name without a leading slash", value)


@dataclass(frozen=True, kw_only=True)
class LimitsSpec:
    """Limits of the arm as published by the maker, of its joints and at the tool."""

    low_rad: PerJoint
    """Lower position limits, [rad]."""
    high_rad: PerJoint
    """Upper position limits, [rad]."""
    velocity_rad_s: PerJoint
    """Largest joint velocities of the hardware, [rad/s]; motions are planned with ``velocity_scaling`` of them."""
    acceleration_rad_s2: PerJoint
    """Largest joint accelerations of the hardware, [rad/s^2]; planned with ``acceleration_scaling`` of them."""
    torque_nm: PerJoint
    """Largest joint torques, [Nm]."""
    velocity_scaling: float
    """Share of the velocity limits that planned motions use, (0, 1]."""
    acceleration_scaling: float
    """Share of the acceleration limits that planned motions use, (0, 1]."""
    tool_speed_m_s: float
    """Largest speed of the tool, [m/s], > 0."""
    tool_wrench: Vec6
    """Largest force x, y, z [N] and torque [Nm] between tool and part, > 0: what the joints bear anywhere in reach, or
    less, where the cell or the thresholds of the robot's own collision reflex allow less."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        ordered = all(low < high for low, high in zip(self.low_rad, self.high_rad, strict=False))
        check(ordered, "high_rad", "each above its low_rad", self.high_rad)
        for name in ("velocity_rad_s", "acceleration_rad_s2", "torque_nm"):
            check(all(value > 0 for value in getattr(self, name)), name, "positive values", getattr(self, name))
        for name in ("velocity_scaling", "acceleration_scaling"):
            check(0 < getattr(self, name) <= 1, name, "a share in (0, 1]", getattr(self, name))
        check(self.tool_speed_m_s > 0, "tool_speed_m_s", "a positive speed in m/s", self.tool_speed_m_s)
        check(all(v > 0 for v in self.tool_wrench), "tool_wrench", "six positive values", self.tool_wrench)


@dataclass(frozen=True, kw_only=True)
class ImpedanceSpec:
    """What the impedance controller makes of the gains a task asks for."""

    max_stiffness: Vec6
    """Stiffness it clamps to, x, y, z [N/m], rx, ry, rz [Nm/rad], > 0."""
    error_clip: Vec6
    """Distance of target from measured pose it clamps to, x, y, z [m], rx, ry, rz [rad], > 0."""
    damping: Vec6 | None = None
    """Its damping, of which no topic tells it, x, y, z [Ns/m], rx, ry, rz [Nms/rad], > 0; none if it takes the task's,
    or if the controllers' file says it (``driver.controllers``: :mod:`refinery.controller_gains`)."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name in ("max_stiffness", "error_clip"):
            check(all(v > 0 for v in getattr(self, name)), name, "six positive values", getattr(self, name))
        check(all(v > 0 for v in self.damping or (1.0,)), "damping", "six positive values", self.damping)


@dataclass(frozen=True, kw_only=True)
class PoseSpec:
    """A fixed transform ``parent <- child``: the pose of the child in the parent frame."""

    xyz_m: Vec3
    """Origin of the child in the parent frame, [m]."""
    rpy_rad: Vec3
    """Orientation of the child, roll, pitch, yaw about the fixed parent axes, [rad]."""


@dataclass(frozen=True, kw_only=True)
class KinematicsSpec:
    """DH table in the modified convention (Craig), a row for each joint."""

    a_m: PerJoint
    """Link lengths, [m]."""
    d_m: PerJoint
    """Link offsets, [m]."""
    alpha_rad: PerJoint
    """Link twists, [rad]."""
    link7_from_tool: PoseSpec
    """Tool pose in the frame of the last joint (7 of a Franka), not of the flange: flange offset (0.107 m), turn of the
    hand and distance from flange to fingertips together."""


@dataclass(frozen=True, kw_only=True)
class TwinSpec:
    """Only for the simulated cell."""

    realtime_factor: float
    """Simulated seconds per second, [0, 100]; 0 is as fast as possible."""
    state_rate_hz: float
    """Rate of the state topics, [Hz], [10, 1000]. The real broadcaster's 1000 Hz would keep a small machine busy."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 <= self.realtime_factor <= 100, "realtime_factor", "a factor in [0, 100]", self.realtime_factor)
        check(10 <= self.state_rate_hz <= 1000, "state_rate_hz", "a rate in [10, 1000] Hz", self.state_rate_hz)


@dataclass(frozen=True, kw_only=True)
class RobotProfile:
    """One kind of robot cell, complete."""

    name: str
    """Identifier: the ``robot`` of the launch file."""
    description: str
    """One sentence for people."""
    use_sim_time: bool
    """The nodes take their time from /clock."""
    joint_names: tuple[str, ...]
    """Joints from the base on, as in the joint state messages; their number is that of the arm everywhere."""
    home_rad: PerJoint
    """Where placements start from and inverse kinematics stays close to, [rad]."""
    frames: FramesSpec
    """Coordinate frames."""
    limits: LimitsSpec
    """Joint limits."""
    kinematics: KinematicsSpec
    """DH table."""
    topics: TopicsSpec
    """Topics with their types and quality of service."""
    services: ServiceSpec
    """Services."""
    controllers: ControllerSpec
    """Controllers to switch between."""
    impedance: ImpedanceSpec
    """Limits of the impedance controller."""
    moveit: MoveItSpec
    """Planning."""
    gripper_namespace: str
    """Namespace of the gripper's actions (homing, move, grasp)."""
    driver: DriverSpec | None = None
    """Launch file and controllers of the robot; none if they have to be started by hand, or if the cell is
    simulated."""
    state_rate_hz: float | None = None
    """Rate of the measured pose and of the wrench, the slower of them, [Hz], (0, 10000]; none if it is not known, or if
    the cell is simulated (then :attr:`TwinSpec.state_rate_hz` says it)."""
    twin: TwinSpec | None = None
    """Present if the cell is simulated."""
    file: Path | None = field(default=None, init=False, compare=False)
    """Where it was read from, for messages; none if it was built in code."""

    def __post_init__(self) -> None:
        """Validate what spans several parts."""
        check(self.name.isidentifier(), "name", "letters, digits and underscores", self.name)
        count = len(self.joint_names)
        different = count >= _LEAST_JOINTS and len(set(self.joint_names)) == count
        check(different, "joint_names", f"{_LEAST_JOINTS} or more different names", self.joint_names)
        self._check_counts(count)
        simulated = self.twin is None or count == _SIMULATED_JOINTS
        check(simulated, "joint_names", f"{_SIMULATED_JOINTS}: the simulated arm is a Panda", self.joint_names)
        rows = zip(self.limits.low_rad, self.home_rad, self.limits.high_rad, strict=True)
        inside = all(low < home < high for low, home, high in rows)
        check(inside, "home_rad", "joints inside the limits", self.home_rad)
        check_name("gripper_namespace", self.gripper_namespace)
        topic, owner = self.topics.joint_trajectory.name, self.controllers.trajectory
        check(topic.startswith(f"{owner}/"), "topics.joint_trajectory.name", f"a topic of {owner}", topic)
        turns = (*self.kinematics.alpha_rad, *self.kinematics.link7_from_tool.rpy_rad)
        check(all(abs(turn) <= math.pi for turn in turns), "kinematics", "angles in [-pi, pi] rad", turns)
        rate = self.state_rate_hz
        check(rate is None or 0 < rate <= 10_000, "state_rate_hz", "a rate in (0, 10000] Hz", rate)
        check(self.driver is None or self.twin is None, "driver", "none for a simulated cell", self.driver)
        told = self.driver is None or self.impedance.damping is None
        expected = "nothing beside driver.controllers, whose file says it (task.d_*)"
        check(told, "impedance.damping", expected, self.impedance.damping)
        once = rate is None or self.twin is None
        check(once, "state_rate_hz", "nothing beside twin.state_rate_hz, which says the same", rate)

    def _check_counts(self, count: int) -> None:
        """Check that everything that is given joint by joint has a value for each."""
        limits, table = self.limits, self.kinematics
        per_joint = {"home_rad": self.home_rad}
        names = ("low_rad", "high_rad", "velocity_rad_s", "acceleration_rad_s2", "torque_nm")
        per_joint |= {f"limits.{name}": getattr(limits, name) for name in names}
        per_joint |= {f"kinematics.{name}": getattr(table, name) for name in ("a_m", "d_m", "alpha_rad")}
        for key, values in per_joint.items():
            check(len(values) == count, key, f"a list of {count} values, as there are joint_names", values)

    @property
    def base_frame(self) -> str:
        """Frame of measured and commanded poses."""
        return self.frames.base

    @property
    def measured_rate_hz(self) -> float | None:
        """Rate of the measured pose and of the wrench, [Hz]; None if it is not known."""
        return self.state_rate_hz if self.twin is None else self.twin.state_rate_hz

    @property
    def pose_topic(self) -> str:
        """Measured tool pose, ``geometry_msgs/PoseStamped``."""
        return self.topics.pose.name

    @property
    def joint_state_topic(self) -> str:
        """Measured joints at full rate, ``sensor_msgs/JointState``."""
        return self.topics.joint_state.name

    @property
    def wrench_topic(self) -> str:
        """Estimated external wrench, ``geometry_msgs/WrenchStamped``."""
        return self.topics.wrench.name

    @property
    def robot_state_topic(self) -> str:
        """State of the robot (mode, errors)."""
        return self.topics.robot_state.name

    @property
    def target_pose_topic(self) -> str:
        """Target of the impedance controller, ``geometry_msgs/PoseStamped``."""
        return self.topics.target_pose.name

    @property
    def target_stiffness_topic(self) -> str:
        """Stiffness of the impedance controller, ``std_msgs/Float64MultiArray`` of 6."""
        return self.topics.target_stiffness.name

    @property
    def trajectory_topic(self) -> str:
        """Trajectories for the trajectory controller, ``trajectory_msgs/JointTrajectory``."""
        return self.topics.joint_trajectory.name

    @property
    def socket_pose_topic(self) -> str:
        """Estimated socket pose, ``geometry_msgs/PoseStamped``."""
        return self.topics.socket_pose.name

    @property
    def trajectory_controller(self) -> str:
        """Controller that follows joint trajectories."""
        return self.controllers.trajectory

    @property
    def impedance_controller(self) -> str:
        """Controller that follows the target pose."""
        return self.controllers.impedance

    @property
    def follow_joint_trajectory(self) -> str:
        """Action of the trajectory controller, ``control_msgs/action/FollowJointTrajectory``."""
        return self.controllers.follow_joint_trajectory

    @property
    def gripper_homing(self) -> str:
        """Action that finds the gripper's range, ``franka_msgs/action/Homing``."""
        return f"{self.gripper_namespace}/homing"

    @property
    def gripper_move(self) -> str:
        """Action that opens or closes the gripper to a width, ``franka_msgs/action/Move``."""
        return f"{self.gripper_namespace}/move"

    @property
    def gripper_grasp(self) -> str:
        """Action that grasps with a force, ``franka_msgs/action/Grasp``."""
        return f"{self.gripper_namespace}/grasp"

    @property
    def planned_velocity_rad_s(self) -> PerJoint:
        """Joint velocities that planned motions keep to: ``velocity_scaling`` times the hardware's limits, [rad/s]."""
        share = self.limits.velocity_scaling
        return tuple(limit * share for limit in self.limits.velocity_rad_s)

    def arm_kinematics(self) -> ArmKinematics:
        """Return the kinematics of the arm with its tool."""
        table = self.kinematics
        return ArmKinematics(
            a_m=table.a_m,
            d_m=table.d_m,
            alpha_rad=table.alpha_rad,
            link7_from_tool=Poses.from_xyz_rpy(table.link7_from_tool.xyz_m, table.link7_from_tool.rpy_rad),
            low_rad=self.limits.low_rad,
            high_rad=self.limits.high_rad,
        )


def load_robot_profile(robot: Path | str) -> RobotProfile:
    """Read a robot profile.

    Args:
        robot: A name in ``config/robots`` (``twin``, ``fr3``, ``panda``) or a path to a YAML file.

    Returns:
        The validated profile.

    Raises:
        ConfigError: With the file, the key, what was expected and what was found.
    """
    file = config_file("robots", str(robot))
    profile = load_dataclass(file, RobotProfile)
    object.__setattr__(profile, "file", file)
    return profile
