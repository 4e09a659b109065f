"""The parameters of ``move_group``: typed, described and range-checked by rclpy, read once at the start."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rclpy.node import Node

from refinery.errors import ConfigError
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery_ros.parameters import declare_field, overrides_for, parameter


@dataclass(frozen=True, kw_only=True)
class MoveGroupParameters:
    """Values of the node's parameters; each field's metadata is its description and range."""

    robot_profile: str = parameter("twin", "Robot profile: a name in config/robots or a path to a .yaml file")
    seed: int = parameter(0, "Seed of all random numbers in planning: equal requests get equal answers", 0, 2**63 - 1)


def declare_parameters(node: Node) -> tuple[MoveGroupParameters, RobotProfile]:
    """Declare every parameter, read-only, with type, description and range.

    Args:
        node: The node.

    Returns:
        The values, and the robot profile they name.

    Raises:
        RefineryError: A value the node was started with is for no parameter, of another type or out of range.
        ConfigError: The profile is unknown or invalid, or that of a real robot, which has a MoveIt of its own.
    """
    fields = dataclasses.fields(MoveGroupParameters)
    overrides = overrides_for(node, MoveGroupParameters)
    values = MoveGroupParameters(
        **{field.name: declare_field(node, field, overrides=overrides, read_only=True) for field in fields}
    )
    profile = load_robot_profile(values.robot_profile)
    if profile.twin is None:
        raise ConfigError(
            f"robot profile {profile.name}", "twin", "a section for the simulated cell", "none", "use MoveIt itself"
        )
    return values, profile
