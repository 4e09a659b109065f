"""ROS names of a robot cell, parts of its profile: topics, services, controllers, planning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from refinery.bringup.robot_launch import MoveItLaunchSpec
from refinery.config import check

_NAME = re.compile(r"[a-zA-Z_~][\w~]*(/\w+)*")
_TYPE = re.compile(r"[a-z]\w*/(msg|srv|action)/[A-Z]\w*")


ENDPOINTS = ("move_action", "execute_trajectory", "compute_ik", "compute_cartesian_path", "apply_planning_scene")
"""Fields of :class:`MoveItSpec` that name an action or a service of ``move_group``."""


def check_name(key: str, value: str) -> None:
    """Check a name that is resolved in the namespace of the nodes.

    Args:
        key: Field name, for the message.
        value: The name.

    Raises:
        ConfigError: It is absolute or not a ROS name.
    """
    expected = "a relative ROS name (it is put under the namespace of the nodes)"
    check(_NAME.fullmatch(value) is not None, key, expected, value)


@dataclass(frozen=True, kw_only=True)
class TopicSpec:
    """One topic."""

    name: str
    """Relative name."""
    type: str
    """Message type, ``package/msg/Name``."""
    reliability: str
    """What the publisher offers, ``best_effort`` or ``reliable``; a reliable subscriber to the former gets nothing."""
    depth: int = 1
    """Queue depth, [1, 1000]; of states and targets only the newest counts."""

    def __post_init__(self) -> None:
        """Validate names and ranges."""
        check_name("name", self.name)
        check(_TYPE.fullmatch(self.type) is not None, "type", "a type as package/msg/Name", self.type)
        known = self.reliability in ("best_effort", "reliable")
        check(known, "reliability", "best_effort or reliable", self.reliability)
        check(1 <= self.depth <= 1000, "depth", "a depth in [1, 1000]", self.depth)


@dataclass(frozen=True, kw_only=True)
class TopicsSpec:
    """What the nodes read and write."""

    pose: TopicSpec
    """In: measured tool pose in the base frame."""
    joint_state: TopicSpec
    """In: measured joints at the robot's rate (not the merged /joint_states at 30 Hz)."""
    wrench: TopicSpec
    """In: estimated external wrench."""
    robot_state: TopicSpec
    """In: robot mode and errors."""
    socket_pose: TopicSpec
    """In: estimated socket pose in the base frame, from whatever perceives it."""
    target_pose: TopicSpec
    """Out: target of the impedance controller."""
    target_stiffness: TopicSpec
    """Out: its stiffness, x, y, z [N/m], rx, ry, rz [Nm/rad]."""
    joint_trajectory: TopicSpec
    """Out: trajectories for the trajectory controller."""


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """What the nodes call."""

    switch_controller: str
    """``controller_manager_msgs/srv/SwitchController``."""
    list_controllers: str
    """``controller_manager_msgs/srv/ListControllers``."""
    error_recovery: str
    """Recovery from a reflex; only ever called by a person."""
    error_recovery_type: str
    """Its type: an action with franka_ros2, a service with the Panda forks."""

    def __post_init__(self) -> None:
        """Validate names."""
        check_name("switch_controller", self.switch_controller)
        check_name("list_controllers", self.list_controllers)
        check_name("error_recovery", self.error_recovery)
        known = _TYPE.fullmatch(self.error_recovery_type) is not None
        check(known, "error_recovery_type", "a type as package/srv/Name", self.error_recovery_type)


@dataclass(frozen=True, kw_only=True)
class ControllerSpec:
    """Names in the controller manager."""

    trajectory: str
    """Follows joint trajectories (effort interface, so that switching is seamless)."""
    impedance: str
    """``crisp_controllers/CartesianController``."""

    def __post_init__(self) -> None:
        """Validate names."""
        for name, value in vars(self).items():
            check_name(name, value)
        check(self.trajectory != self.impedance, "impedance", "another controller than trajectory", self.impedance)

    @property
    def follow_joint_trajectory(self) -> str:
        """``control_msgs/action/FollowJointTrajectory`` of the trajectory controller: it is named after it."""
        return f"{self.trajectory}/follow_joint_trajectory"


@dataclass(frozen=True, kw_only=True)
class MoveItSpec:
    """What a client of MoveIt asks whom for."""

    group: str
    """Planning group of the arm."""
    tip_link: str
    """Link that pose goals are for; it must be the tool frame or rigidly attached to it."""
    planning_frame: str
    """Frame of the planning scene; fixed to the base frame."""
    touch_links: tuple[str, ...]
    """Links of the hand that may touch the held part."""
    pipeline_id: str = ""
    """Planning pipeline; empty is move_group's default. One that move_group has not loaded fails every request."""
    planner_id: str = ""
    """Planner in the pipeline; empty is the group's default."""
    planning_attempts: int = 5
    """Plans made of which the shortest is taken, [1, 100]."""
    allowed_planning_time_s: float = 5.0
    """Time for a plan, all attempts together, [s], (0, 60]."""
    move_action: str = "move_action"
    """``moveit_msgs/action/MoveGroup``."""
    execute_trajectory: str = "execute_trajectory"
    """``moveit_msgs/action/ExecuteTrajectory``."""
    compute_ik: str = "compute_ik"
    """``moveit_msgs/srv/GetPositionIK``."""
    compute_cartesian_path: str = "compute_cartesian_path"
    """``moveit_msgs/srv/GetCartesianPath``."""
    apply_planning_scene: str = "apply_planning_scene"
    """``moveit_msgs/srv/ApplyPlanningScene``."""
    launch: MoveItLaunchSpec | None = None
    """Launch file of ``move_group``; none if it has to be started by hand, or if the cell is simulated."""

    def __post_init__(self) -> None:
        """Validate names and ranges."""
        for name in ("group", "tip_link", "planning_frame"):
            check(bool(getattr(self, name)), name, "a name", getattr(self, name))
        named = bool(self.touch_links) and all(self.touch_links)
        check(named, "touch_links", "the names of at least one link", self.touch_links)
        check(1 <= self.planning_attempts <= 100, "planning_attempts", "a count in [1, 100]", self.planning_attempts)
        time_s = self.allowed_planning_time_s
        check(0 < time_s <= 60, "allowed_planning_time_s", "a time in (0, 60] s", time_s)
        for name in ENDPOINTS:
            check_name(name, getattr(self, name))
