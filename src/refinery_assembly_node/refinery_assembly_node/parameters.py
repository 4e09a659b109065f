"""The node's parameters: typed, described and range-checked by rclpy, read once at configuration."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

from refinery.bringup.graph import SETTLED_S
from refinery.bringup.node_names import POLICY, SAMPLER
from refinery_ros.parameters import declare_all, parameter, read_all


@dataclass(frozen=True, kw_only=True)
class AssemblyParameters:
    """Values of the node's parameters; each field's metadata is its description and range."""

    sequence: str = parameter("", "Sequence to assemble: a name in config/sequences or a path to a .yaml file")
    bundles: str = parameter("", "Folder of the bundles, each named as its task or as the step says")
    robot_profile: str = parameter("twin", "Robot profile: a name in config/robots or a path to a .yaml file")
    journal: str = parameter("", "Journal of the runs (SQLite), on a local disk; empty: one for the sequence in ~/.ros")
    base_pose: str = parameter("base_pose", "Topic of the estimated pose of the assembly's base")
    policy_node: str = parameter(POLICY, "Name of the policy node, for its status and ~/rearm")
    sampler_node: str = parameter(SAMPLER, "Name of the sampler node, to see whether it is active")
    autostart: bool = parameter(
        False, "Configure and activate at start, without a lifecycle manager; a failure ends the node"
    )
    discovery_s: float = parameter(
        SETTLED_S, "At autostart, time before activation in which the node discovers the other nodes [s]", 0.0, 60.0
    )
    estimate_window: int = parameter(30, "Number of the newest estimates of the base that are averaged", 1, 1000)
    estimate_max_age_s: float = parameter(
        5.0, "A newest estimate of the base older than this (since it arrived) is not used [s]", 0.1, 86400.0
    )
    state_max_age_s: float = parameter(
        2.0, "Measured tool pose and jaws older than this (since they arrived) are not used [s]", 0.02, 60.0
    )
    socket_rate_hz: float = parameter(30.0, "Rate of socket poses that come from kinematics [Hz]", 1.0, 1000.0)
    server_timeout_s: float = parameter(10.0, "Longest wait for an action's server, and for its answer [s]", 0.1, 600.0)
    ready_timeout_s: float = parameter(
        60.0, "Longest wait at the start of a run for sampler and policy node to be active [s]", 0.1, 3600.0
    )
    motion_timeout_s: float = parameter(60.0, "Longest time of a placement [s]", 1.0, 600.0)
    initial_states: int = parameter(5, "Number of initial states of an insertion, by rank, that are tried", 1, 100)


def declare_parameters(node: Node) -> None:
    """Declare every parameter with its type, description and range."""
    declare_all(node, AssemblyParameters)


def read_parameters(node: Node) -> AssemblyParameters:
    """Read the declared parameters."""
    return read_all(node, AssemblyParameters)
