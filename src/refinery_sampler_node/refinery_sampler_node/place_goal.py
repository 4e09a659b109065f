"""What a placement aims at: a goal message checked against the cell, before anything moves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.errors import NotReadyError, RefineryError
from refinery.grasp import requested_grasp
from refinery.rotations import Poses, angle_between_rad
from refinery_msgs.action import Place
from refinery_sampler_node.candidates import Choice
from refinery_sampler_node.conversions import pose_from_message
from refinery_sampler_node.requests import RequestError, SampleRequest
from refinery_sampler_node.sample_service import fresh_seed
from refinery_sampler_node.station import Station

Array = NDArray[np.float64]

_MODEL_M, _MODEL_RAD = 0.005, 0.05
_BASE = Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.array([[0.0, 0.0, 0.0, 1.0]]))


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where to go."""

    tool: Poses
    """Tool pose in the base frame, batch of one."""
    joints_rad: Array
    """Joints there, shape (7,), [rad]."""
    up: Poses
    """Its z axis is "up": the socket estimate, or the base for a given pose without an estimate."""
    choice: Choice | None
    """The initial state, if it was sampled."""


class GoalError(RefineryError):
    """A goal cannot be served; the message says what was expected, what came and what to do."""


def check_goal(station: Station, goal: Place.Goal) -> None:
    """Check what can be checked without a measurement.

    Raises:
        RequestError: Unknown task or mode, or a given pose that is none.
        RefineryError: A given grasp that is none, or none of the task.
        GoalError: The time limit is no time.
    """
    if not (math.isfinite(goal.max_duration_s) and goal.max_duration_s > 0):
        raise GoalError(f"max_duration_s: expected a time > 0 s, got {goal.max_duration_s}")
    if goal.use_pose:
        pose_from_message(goal.pose, base_frame=station.profile.base_frame, what="pose")
        requested_grasp(goal.grasp, station.sampler.bundle.task)
    else:
        station.sampler.check(_request(goal))


def choose_target(station: Station, goal: Place.Goal) -> Target:
    """Sample or take the pose a goal asks for.

    Args:
        station: Of the active node.
        goal: What is asked for.

    Returns:
        The target, reachable.

    Raises:
        RequestError: The goal is not acceptable, or the arm cannot take it.
    """
    return _given(station, goal) if goal.use_pose else _sampled(station, goal)


def _request(goal: Place.Goal) -> SampleRequest:
    return SampleRequest(task=goal.task, mode=goal.mode, count=1, seed=fresh_seed(int(goal.seed)))


def _sampled(station: Station, goal: Place.Goal) -> Target:
    socket = station.estimates.mean().pose
    choice = station.sampler.sample(_request(goal), socket, require_reachable=True)
    assert choice.reach is not None
    return Target(tool=choice.reach.tool, joints_rad=choice.reach.joints_rad[0], up=socket, choice=choice)


def _given(station: Station, goal: Place.Goal) -> Target:
    tool = pose_from_message(goal.pose, base_frame=station.profile.base_frame, what="pose")
    try:
        socket = station.estimates.mean().pose
    except RequestError:
        # Without an estimate there is no plate to keep clear of: far below is as good as none.
        socket = Poses(pos_m=_BASE.pos_m - [[0.0, 0.0, 100.0]], quat_xyzw=_BASE.quat_xyzw)
    reach = station.sampler.reachability.check_tool(
        tool, socket, requested_grasp(goal.grasp, station.sampler.bundle.task)
    )
    if not reach.ok[0]:
        where = ", ".join(f"{v:.3f}" for v in tool.pos_m[0])
        raise RequestError("UNREACHABLE", f"pose: the arm cannot take the tool pose at ({where}) m: {reach.reasons[0]}")
    return Target(tool=tool, joints_rad=reach.joints_rad[0], up=socket, choice=None)


def check_model(station: Station) -> None:
    """Check that joints and tool pose, as measured, agree under the profile's kinematics.

    A wrong end-effector frame on the robot would put the plug somewhere else than every number here says.

    Raises:
        NotReadyError: They disagree, or there is no fresh measurement.
    """
    measured, (joints, _) = station.arm.tool(), station.arm.joints()
    computed = station.kinematics.forward(joints)
    distance = float(np.linalg.norm(measured.pos_m - computed.pos_m))
    angle = float(angle_between_rad(measured.quat_xyzw, computed.quat_xyzw)[0])
    if distance > _MODEL_M or angle > _MODEL_RAD:
        raise NotReadyError(
            f"the measured tool pose is {1000 * distance:.1f} mm and {angle:.3f} rad away from what the profile's "
            f"kinematics make of the measured joints (limits {1000 * _MODEL_M:.0f} mm, {_MODEL_RAD} rad); "
            "does the end-effector frame set on the robot match the robot profile?",
        )
