"""Requests to MoveIt: for a plan, a straight line, or a solution of the inverse kinematics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped
from moveit_msgs.action import MoveGroup
from moveit_msgs.msg import Constraints, JointConstraint, RobotState
from moveit_msgs.srv import GetCartesianPath, GetPositionIK
from numpy.typing import ArrayLike

from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery_ros.conversions import duration_message, pose_message

_GOAL_TOLERANCE_RAD = 1e-4
_IK_TIME_S = 0.2
_JUMP_RAD = 0.35
"""A larger step of a joint on a straight line is a change of the arm's configuration, [rad]."""


@dataclass(frozen=True, kw_only=True)
class MotionSettings:
    """How fast and how finely motions are planned."""

    velocity_scaling: float
    """Share of the joint velocity limits, (0, 1]."""
    acceleration_scaling: float
    """Share of the joint acceleration limits, (0, 1]."""
    tool_speed_m_s: float
    """Largest speed of the tool, [m/s]."""
    approach_speed_m_s: float
    """Largest speed of the tool on straight lines, which end or begin over the socket, [m/s]."""
    step_m: float
    """Longest step between two checked points of a straight line, [m]."""


def state_message(joint_names: tuple[str, ...], joints_rad: ArrayLike) -> RobotState:
    """Describe the arm at these joints, shape (7,), [rad], as a difference to the state that MoveIt knows."""
    state = RobotState(is_diff=True)
    state.joint_state.name = list(joint_names)
    state.joint_state.position = np.asarray(joints_rad, dtype=np.float64).tolist()
    return state


def plan_goal(
    profile: RobotProfile, settings: MotionSettings, *, start_rad: ArrayLike, goal_rad: ArrayLike
) -> MoveGroup.Goal:
    """Request a plan between joints, shape (7,) each, [rad], without execution."""
    spec, goal = profile.moveit, MoveGroup.Goal()
    goal.planning_options.plan_only = True
    goal.planning_options.planning_scene_diff.is_diff = True
    goal.planning_options.planning_scene_diff.robot_state.is_diff = True
    request = goal.request
    request.group_name, request.pipeline_id, request.planner_id = spec.group, spec.pipeline_id, spec.planner_id
    request.num_planning_attempts = spec.planning_attempts
    request.allowed_planning_time = float(spec.allowed_planning_time_s)
    request.max_velocity_scaling_factor = settings.velocity_scaling
    request.max_acceleration_scaling_factor = settings.acceleration_scaling
    request.cartesian_speed_limited_link = spec.tip_link
    request.max_cartesian_speed = settings.tool_speed_m_s
    request.start_state = state_message(profile.joint_names, start_rad)
    constraints = [
        JointConstraint(
            joint_name=name,
            position=float(angle),
            tolerance_above=_GOAL_TOLERANCE_RAD,
            tolerance_below=_GOAL_TOLERANCE_RAD,
            weight=1.0,
        )
        for name, angle in zip(profile.joint_names, np.asarray(goal_rad, dtype=np.float64), strict=True)
    ]
    request.goal_constraints = [Constraints(joint_constraints=constraints)]
    return goal


def line_request(
    profile: RobotProfile, settings: MotionSettings, *, start_rad: ArrayLike, tool: Poses
) -> GetCartesianPath.Request:
    """Request a straight line of the tool from joints (7,) [rad] to a pose in the base frame, batch of one."""
    spec = profile.moveit
    request = GetCartesianPath.Request(
        start_state=state_message(profile.joint_names, start_rad),
        group_name=spec.group,
        link_name=spec.tip_link,
        waypoints=[pose_message(tool)],
        max_step=settings.step_m,
        # An absolute threshold: a relative one misjudges short lines.
        revolute_jump_threshold=_JUMP_RAD,
        avoid_collisions=True,
        max_velocity_scaling_factor=settings.velocity_scaling,
        max_acceleration_scaling_factor=settings.acceleration_scaling,
        cartesian_speed_limited_link=spec.tip_link,
        max_cartesian_speed=settings.tool_speed_m_s,
    )
    request.header.frame_id = profile.base_frame
    return request


def inverse_request(profile: RobotProfile, *, tool: Poses, seed_rad: ArrayLike) -> GetPositionIK.Request:
    """Request collision-free joints near a seed (7,) [rad] for a tool pose in the base frame."""
    request, target = GetPositionIK.Request(), PoseStamped(pose=pose_message(tool))
    target.header.frame_id = profile.base_frame
    request.ik_request.group_name = profile.moveit.group
    request.ik_request.ik_link_name = profile.moveit.tip_link
    request.ik_request.robot_state = state_message(profile.joint_names, seed_rad)
    request.ik_request.avoid_collisions = True
    request.ik_request.pose_stamped = target
    request.ik_request.timeout = duration_message(_IK_TIME_S)
    return request
