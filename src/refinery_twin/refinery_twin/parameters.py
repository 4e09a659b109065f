"""The twin's parameters: typed, described and range-checked by rclpy, read once at the start."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rclpy.node import Node

from refinery.errors import ConfigError
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery_ros.parameters import declare_field, overrides_for, parameter


@dataclass(frozen=True, kw_only=True)
class TwinParameters:
    """Values of the node's parameters; each field's metadata is its description and range."""

    robot_profile: str = parameter("twin", "Robot profile: a name in config/robots or a path to a .yaml file")
    task: str = parameter("peg_rect", "Task: a name in config/tasks, a path to a .yaml file, or a bundle's directory")
    sequence: str = parameter(
        "",
        "Put the parts of this sequence into their trays instead of the task's part into the hand: a name in "
        "config/sequences or a path to a .yaml file; estimates are then those of the assembly's base, on base_pose",
    )
    bundles: str = parameter("", "Folder of the sequence's bundles, whose tasks are simulated; empty: config/tasks")
    seed: int = parameter(0, "Seed of the trial the twin starts with", 0, 2**63 - 1)
    bias_seed: int = parameter(
        -1,
        "Seed of the constant error of the socket estimate, the same in every trial, as in a real cell; negative: each "
        "trial draws its own, as training does",
        -1,
        2**63 - 1,
    )
    realtime_factor: float = parameter(
        1.0, "Simulated seconds per second of wall clock; 0: unpaced; default: the profile's", 0.0, 100.0
    )
    state_rate_hz: float = parameter(
        250.0, "Rate of states and /clock by simulated time [Hz], whole ms apart; default: the profile's", 10.0, 1000.0
    )
    robot_state_rate_hz: float = parameter(
        50.0, "Rate of the robot's mode and errors by simulated time [Hz]; the real one sends 1000", 10.0, 1000.0
    )
    joint_state_rate_hz: float = parameter(30.0, "Rate of /joint_states by simulated time [Hz]", 1.0, 1000.0)


def declare_parameters(node: Node) -> tuple[TwinParameters, RobotProfile]:
    """Declare every parameter, read-only, with type, description and range.

    Args:
        node: The node.

    Returns:
        The values, and the robot profile they name, which gives the defaults of the rates.

    Raises:
        RefineryError: A value the node was started with is for no parameter, of another type or out of range.
        ConfigError: The profile is unknown or invalid, or has no ``twin`` section.
    """
    overrides = overrides_for(node, TwinParameters)
    fields = {field.name: field for field in dataclasses.fields(TwinParameters)}
    named = declare_field(node, fields.pop("robot_profile"), overrides=overrides, read_only=True)
    profile = load_robot_profile(named)
    if profile.twin is None:
        raise ConfigError(
            f"robot profile {profile.name}",
            "twin",
            "a section for the simulated cell",
            "none",
            "use the profile 'twin'",
        )
    defaults = {"realtime_factor": profile.twin.realtime_factor, "state_rate_hz": profile.twin.state_rate_hz}
    values = {
        name: declare_field(node, field, defaults.get(name), overrides=overrides, read_only=True)
        for name, field in fields.items()
    }
    return TwinParameters(robot_profile=profile.name, **values), profile
