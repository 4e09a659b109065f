"""Checks the goal of a placement and chooses its targets, before anything moves."""

from __future__ import annotations

import math

import numpy as np

from refinery.errors import NotReadyError, RefineryError
from refinery.grasp import requested_grasp
from refinery.initial_state import GRASP
from refinery.rotations import Poses, angle_between_rad
from refinery_msgs.action import Place
from refinery_sampler_node.placing.targets import NOWHERE, Target, Targets
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampler_resources import SamplerResources
from refinery_sampler_node.sampling.requests import SampleRequest, check_task
from refinery_sampler_node.sampling.sample_service import fresh_seed

_MODEL_M, _MODEL_RAD = 0.005, 0.05


class GoalError(RefineryError):
    """A goal cannot be served; the message states what was expected, what came and what to do."""


def check_goal(resources: SamplerResources, goal: Place.Goal) -> Poses | None:
    """Check a goal as far as no measurement is needed.

    Returns:
        The given tool pose in the base frame, batch of one, by the present transforms; None if one is sampled.

    Raises:
        RequestError: Unknown task or mode, or an invalid pose.
        RefineryError: An invalid grasp, or one outside the task.
        GoalError: An invalid time limit.
    """
    if not (math.isfinite(goal.max_duration_s) and goal.max_duration_s > 0):
        raise GoalError(f"max_duration_s: expected a time > 0 s, got {goal.max_duration_s}")
    if goal.empty_hand and not goal.use_pose:
        raise GoalError("empty_hand: expected false where an initial state is sampled: it is one of the held part")
    if goal.use_pose:
        check_task(goal.task, resources.sampler.bundle.task)
        requested_grasp(goal.grasp, resources.sampler.bundle.task)
        return resources.transforms.in_base(goal.pose, what="pose")
    resources.sampler.check(_request(goal))
    return None


def choose_targets(resources: SamplerResources, goal: Place.Goal, given: Poses | None) -> Targets:
    """Sample the targets of a goal, or take its given pose.

    Args:
        resources: Resources of the active node.
        goal: The request.
        given: Result of :func:`check_goal`.

    Returns:
        The targets; the arm's own limits and the plate permit them.

    Raises:
        RequestError: The goal is not acceptable, or the arm cannot reach it.
    """
    return _sampled(resources, goal) if given is None else _given(resources, goal, given)


def _request(goal: Place.Goal) -> SampleRequest:
    return SampleRequest(task=goal.task, mode=goal.mode, count=1, seed=fresh_seed(int(goal.seed)))


def _sampled(resources: SamplerResources, goal: Place.Goal) -> Targets:
    socket, sampler = resources.estimates.mean().pose, resources.sampler
    # If the task leaves the grasp open, the part is held as the first sample requires; others need another grasp.
    alternatives = 0 if sampler.grasp_is_free else resources.parameters.max_candidates - 1
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


def _given(resources: SamplerResources, goal: Place.Goal, tool: Poses) -> Targets:
    grasp = requested_grasp(goal.grasp, resources.sampler.bundle.task)
    try:
        socket: Poses | None = resources.estimates.mean().pose
    except RequestError:
        socket = None
    # Without an estimate there is no plate to keep clear of.
    plate = NOWHERE if socket is None or goal.empty_hand else socket
    reach = resources.sampler.reachability.check_tool(tool, plate, grasp)
    if not reach.ok[0]:
        where = ", ".join(f"{v:.3f}" for v in tool.pos_m[0])
        raise RequestError(
            "UNREACHABLE", f"pose: the arm cannot reach the tool pose at ({where}) m: {reach.reasons[0]}"
        )
    target = Target(
        tool=tool, joints_rad=reach.joints_rad[0], grasp=grasp, up=socket or NOWHERE, theta=None, success=math.nan
    )  # fmt: skip
    return Targets(ranked=(target,), socket=socket, choice=None)


def check_model(resources: SamplerResources) -> None:
    """Check that measured joints and measured tool pose agree by the profile's kinematics.

    With a wrong end-effector frame on the robot the plug would not be where the tool pose says.

    Raises:
        NotReadyError: They disagree, or there is no fresh measurement.
    """
    measured, (joints, _) = resources.arm.tool(), resources.arm.joints()
    computed = resources.kinematics.forward(joints)
    distance = float(np.linalg.norm(measured.pos_m - computed.pos_m))
    angle = float(angle_between_rad(measured.quat_xyzw, computed.quat_xyzw)[0])
    if distance > _MODEL_M or angle > _MODEL_RAD:
        raise NotReadyError(
            f"the measured tool pose differs by {1000 * distance:.1f} mm and {angle:.3f} rad from the profile's "
            f"kinematics of the measured joints (limits {1000 * _MODEL_M:.0f} mm, {_MODEL_RAD} rad); "
            "does the end-effector frame set on the robot match the robot profile?",
        )
