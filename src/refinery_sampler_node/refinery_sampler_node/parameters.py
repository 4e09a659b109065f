"""The node's parameters: typed, described and range-checked by rclpy, read once at configuration."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

from refinery.bringup.graph import SETTLED_S
from refinery_ros.parameters import declare_all, parameter, read_all


@dataclass(frozen=True, kw_only=True)
class SamplerParameters:
    """Values of the node's parameters; each field's metadata is its description and range."""

    bundle: str = parameter(
        "",
        "Directory of the bundle to sample from, or several, one for each task, with a colon between them; requests "
        "name the task",
    )
    robot_profile: str = parameter("twin", "Robot profile: a name in config/robots or a path to a .yaml file")
    autostart: bool = parameter(
        False, "Configure and activate at start, without a lifecycle manager; a failure ends the node"
    )
    discovery_s: float = parameter(
        SETTLED_S, "At autostart, time before activation in which the node discovers the other nodes [s]", 0.0, 60.0
    )
    max_count: int = parameter(1000, "Largest number of initial states in one request", 1, 100000)
    min_distance: float = parameter(
        0.1,
        "Smallest distance of the best initial states from each other, in shares of the deployment box's edges",
        0.0,
        1.0,
    )
    estimate_window: int = parameter(
        15, "Number of the newest socket estimates, of which those that agree are averaged", 1, 100
    )
    estimate_jump_m: float = parameter(
        0.01,
        "Socket estimates farther than this from each other disagree; larger than their jitter [m]",
        0.0,
        1.0,
    )
    estimate_jump_rad: float = parameter(0.1, "The same for its rotation [rad]", 0.0, 3.2)
    estimate_max_age_s: float = parameter(
        5.0, "A newest socket estimate older than this (time since it arrived) is refused [s]", 0.1, 86400.0
    )
    use_socket_correction: bool = parameter(
        False,
        "Correct socket estimates by what the policy node has learnt (its calibration_dir); a pose in a request is "
        "taken as it is",
    )
    state_max_age_s: float = parameter(
        1.0,
        "Joint states older than this (since they arrived) or a clock that has stopped end a placement [s]",
        0.02,
        10.0,
    )
    tf_max_age_s: float = parameter(
        1.0,
        "A transform on /tf older than this, or stamped this far in the future, is refused; those on /tf_static "
        "never expire [s]",
        0.01,
        3600.0,
    )
    max_candidates: int = parameter(
        5,
        "Number of samples, by rank, that are tried until MoveIt finds a plan; only the first if the task leaves the "
        "grasp open",
        1,
        100,
    )
    limit_margin_rad: float = parameter(
        0.05, "Smallest distance of an initial state's joints to their limits [rad]", 0.0, 1.0
    )
    lift_m: float = parameter(
        0.04,
        "Height of the stand-off above an initial state along the socket's axis: from there the arm moves straight "
        "down, and near the socket it first moves straight up to it [m]",
        0.005,
        0.3,
    )
    approach_speed_m_s: float = parameter(
        0.05,
        "Speed limit of the tool on the straight lines up from the socket and down to an initial state; "
        "accelerations decrease with its square [m/s]",
        0.001,
        1.0,
    )
    clearance_m: float = parameter(
        0.01,
        "Distance of the motion to the stand-off from the socket and its neighbours, for errors of the estimate and of "
        "the controller; less than lift_m [m]",
        0.0,
        0.1,
    )
    line_step_m: float = parameter(0.002, "Longest step between two checked points of a straight line [m]", 1e-4, 0.05)
    table_top_m: float = parameter(
        -0.01,
        "Height of the table's top in the arm's base frame, for the planning scene; the default leaves a gap under the "
        "arm's base [m]",
        -2.0,
        1.0,
    )
    answer_timeout_s: float = parameter(
        5.0, "Longest wait for an answer of move_group beyond the time allowed for planning [s]", 0.1, 60.0
    )
    max_tool_speed_m_s: float = parameter(0.2, "Speed limit of the tool while placing [m/s]", 0.001, 1.0)
    way_tolerance_rad: float = parameter(
        0.15, "A joint farther than this from the planned path stops a placement [rad]", 0.01, 3.0
    )
    max_lag_s: float = parameter(1.0, "Largest delay of the arm behind the plan: MoveIt starts late [s]", 0.0, 10.0)
    goal_tolerance_rad: float = parameter(
        0.005, "Largest distance of a joint from its goal on arrival [rad]", 1e-4, 0.2
    )
    settle_s: float = parameter(0.2, "At its goal and at rest for this long, the arm has arrived [s]", 0.0, 10.0)
    grace_s: float = parameter(3.0, "Time to settle after the planned end of a placement [s]", 0.1, 60.0)


def declare_parameters(node: Node) -> None:
    """Declare every parameter with its type, description and range."""
    declare_all(node, SamplerParameters)


def read_parameters(node: Node) -> SamplerParameters:
    """Read the declared parameters."""
    return read_all(node, SamplerParameters)
