"""What a placement aims at: a goal message checked against the cell, before anything moves."""

from __future__ import annotations

import math

import numpy as np

from refinery.errors import NotReadyError, RefineryError
from refinery.grasp import requested_grasp
from refinery.initial_state import GRASP
from refinery.rotations import Poses, angle_between_rad
from refinery_msgs.action import Place
from refinery_sampler_node.requests import RequestError, SampleRequest, check_task
from refinery_sampler_node.sample_service import fresh_seed
from refinery_sampler_node.station import Station
from refinery_sampler_node.targets import Target, Targets

_MODEL_M, _MODEL_RAD = 0.005, 0.05
_BASE = Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.array([[0.0, 0.0, 0.0, 1.0]]))


class GoalError(RefineryError):
    """A goal cannot be served; the message says what was expected, what came and what to do."""


def check_goal(station: Station, goal: Place.Goal) -> Poses | None:
    """Check what can be checked without a measurement.

    Returns:
        The given tool pose in the base frame, batch of one, by the transforms of this moment; none if one is sampled.

    Raises:
        RequestError: Unknown task or mode, or a given pose that is none.
        RefineryError: A given grasp that is none, or none of the task.
        GoalError: The time limit is no time.
    """
    if not (math.isfinite(goal.max_duration_s) and goal.max_duration_s > 0):
        raise GoalError(f"max_duration_s: expected a time > 0 s, got {goal.max_duration_s}")
    if goal.use_pose:
        check_task(goal.task, station.sampler.bundle.task)
        requested_grasp(goal.grasp, station.sampler.bundle.task)
        return station.transforms.in_base(goal.pose, what="pose")
    station.sampler.check(_request(goal))
    return None


def choose_targets(station: Station, goal: Place.Goal, given: Poses | None) -> Targets:
    """Sample or take the pose a goal asks for.

    Args:
        station: Of the active node.
        goal: What is asked for.
        given: What :func:`check_goal` has returned.

    Returns:
        The targets, reachable as far as the arm's own limits and the plate go.

    Raises:
        RequestError: The goal is not acceptable, or the arm cannot take it.
    """
    return _sampled(station, goal) if given is None else _given(station, goal, given)


def _request(goal: Place.Goal) -> SampleRequest:
    return SampleRequest(task=goal.task, mode=goal.mode, count=1, seed=fresh_seed(int(goal.seed)))


def _sampled(station: Station, goal: Place.Goal) -> Targets:
    socket, sampler = station.estimates.mean().pose, station.sampler
    # Where the grasp is open the part is held as the first sample needs it, and any other one would need another grasp.
    alternatives = 0 if sampler.grasp_is_free else station.parameters.max_candidates - 1
    choice = sampler.sample(_request(goal), socket, require_reachable=True, alternatives=alternatives)
    reach = choice.reach
    assert reach is not None
    grasps = choice.theta[:, GRASP]
    ranked = tuple(
        Target(
            tool=reach.tool[i],
            joints_rad=reach.joints_rad[i],
            grasp=grasps[i : i + 1],
            up=socket,
            theta=choice.theta[i],
            success=float(choice.success.mean[i]),
        )
        for i in range(len(choice.theta))
    )
    return Targets(ranked=ranked, socket=socket, choice=choice)


def _given(station: Station, goal: Place.Goal, tool: Poses) -> Targets:
    grasp = requested_grasp(goal.grasp, station.sampler.bundle.task)
    try:
        socket: Poses | None = station.estimates.mean().pose
    except RequestError:
        socket = None
    # Without an estimate there is no plate to keep clear of: far below is as good as none.
    plate = socket or Poses(pos_m=_BASE.pos_m - [[0.0, 0.0, 100.0]], quat_xyzw=_BASE.quat_xyzw)
    reach = station.sampler.reachability.check_tool(tool, plate, grasp)
    if not reach.ok[0]:
        where = ", ".join(f"{v:.3f}" for v in tool.pos_m[0])
        raise RequestError("UNREACHABLE", f"pose: the arm cannot take the tool pose at ({where}) m: {reach.reasons[0]}")
    target = Target(
        tool=tool, joints_rad=reach.joints_rad[0], grasp=grasp, up=plate, theta=None, success=math.nan
    )  # fmt: skip
    return Targets(ranked=(target,), socket=socket, choice=None)


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
