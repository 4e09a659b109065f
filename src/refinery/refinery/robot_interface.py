"""ROS names of a robot cell, parts of its profile: topics with their quality of service, services, controllers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from refinery.config import check

_NAME = re.compile(r"[a-zA-Z_~][\w~]*(/\w+)*")
_TYPE = re.compile(r"[a-z]\w*/(msg|srv|action)/[A-Z]\w*")


def _check_name(key: str, value: str) -> None:
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
        _check_name("name", self.name)
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
        _check_name("switch_controller", self.switch_controller)
        _check_name("list_controllers", self.list_controllers)
        _check_name("error_recovery", self.error_recovery)
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
            _check_name(name, value)
        check(self.trajectory != self.impedance, "impedance", "another controller than trajectory", self.impedance)


@dataclass(frozen=True, kw_only=True)
class MoveItSpec:
    """Names in the MoveIt configuration."""

    group: str
    """Planning group of the arm."""
    tip_link: str
    """Link that pose goals are for; it must be the tool frame or rigidly attached to it."""
    planning_frame: str
    """Frame of the planning scene."""
    move_action: str = "move_action"
    """``moveit_msgs/action/MoveGroup``."""


@dataclass(frozen=True, kw_only=True)
class DriverSpec:
    """The launch file that brings the robot's own software up."""

    package: str
    """Its package."""
    launch_file: str
    """Its file in the package's launch folder; it takes ``robot_ip`` and ``use_fake_hardware``."""
    arguments: dict[str, str]
    """Further arguments, by name."""
