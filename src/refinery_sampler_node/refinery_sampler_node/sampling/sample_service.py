"""The service /sample_init: fills the response to a request."""

from __future__ import annotations

import secrets

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState

from refinery.initial_state import THETA_NAMES, tool_pose
from refinery.rotations import Poses
from refinery_msgs.srv import SampleInit
from refinery_ros.conversions import pose_stamped_message
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampler_resources import SamplerResources
from refinery_sampler_node.sampling.displayed_choice import DisplayedChoice
from refinery_sampler_node.sampling.initial_state_chooser import Choice
from refinery_sampler_node.sampling.requests import SampleRequest


def fresh_seed(seed: int) -> int:
    """Return the seed, or a random one for a negative seed."""
    return seed if seed >= 0 else secrets.randbits(63)


def answer(
    resources: SamplerResources, request: SampleInit.Request, response: SampleInit.Response, stamp: Time
) -> DisplayedChoice | None:
    """Fill the response to a request.

    Args:
        resources: Resources of the active node.
        request: The request.
        response: Filled in; it carries errors, none is raised.
        stamp: Time of the poses.

    Returns:
        The choice to display, or None after an error.
    """
    task = resources.sampler.bundle.task
    response.task = task.name
    response.theta_names = list(THETA_NAMES)
    asked = SampleRequest(
        task=request.task, mode=request.mode, count=int(request.count), seed=fresh_seed(int(request.seed))
    )
    try:
        resources.sampler.check(asked)
        socket, source = _socket(resources, request)
        choice = resources.sampler.sample(asked, socket, require_reachable=request.require_reachable)
    except RequestError as error:
        refuse(response, error.code, str(error))
        return None
    _fill(resources, request, response, choice, socket, stamp)
    response.seed_used = asked.seed
    mean = float(choice.success.mean.mean())
    response.message = (
        f"{asked.count} of {choice.candidates} candidates ({asked.mode}), predicted success {100 * mean:.0f} % "
        f"on average, at the {source}{_rejections(choice)}"
    )
    return DisplayedChoice(choice=choice, mixture=resources.sampler.bundle.initial_states.mixture, socket=socket)


def refuse(response: SampleInit.Response, code: str, message: str) -> SampleInit.Response:
    """Fill a response with an error; ``code`` is the name of a constant."""
    response.success = False
    response.error_code = getattr(SampleInit.Response, code)
    response.message = message
    return response


def _socket(resources: SamplerResources, request: SampleInit.Request) -> tuple[Poses, str]:
    """Return the socket pose to use, in the base frame, and its source in words."""
    if request.socket_pose.header.frame_id:
        pose = resources.transforms.in_base(request.socket_pose, what="socket_pose")
        return pose, "socket pose of the request"
    estimate = resources.estimates.mean()
    return estimate.pose, estimate.description


def _fill(
    resources: SamplerResources,
    request: SampleInit.Request,
    response: SampleInit.Response,
    choice: Choice,
    socket: Poses,
    stamp: Time,
) -> None:
    names = resources.profile.joint_names
    frame = request.socket_pose.header.frame_id or resources.profile.base_frame
    tools = tool_pose(socket, choice.theta, resources.sampler.bundle.task.plug.tool_from_plug)
    if frame != resources.profile.base_frame:
        # The response is in the frame of the request.
        tools = resources.transforms.of_frame(frame, what="socket_pose").inverse() @ tools
    response.success = True
    response.error_code = SampleInit.Response.OK
    response.poses = [pose_stamped_message(tools, frame, stamp, i) for i in range(len(tools))]
    response.theta = np.asarray(choice.theta, dtype=np.float64).ravel().tolist()
    response.log_likelihoods = choice.log_likelihood.tolist()
    response.success_probability = choice.success.mean.tolist()
    response.success_low = choice.success.low.tolist()
    response.success_high = choice.success.high.tolist()
    if choice.reach is not None:
        for joints in choice.reach.joints_rad:
            solution = JointState(name=list(names), position=joints.tolist())
            solution.header.stamp = stamp
            response.joint_solutions.append(solution)
    response.candidates = choice.candidates
    response.rejected = sum(choice.rejected.values())


def _rejections(choice: Choice) -> str:
    reasons = ", ".join(f"{number} x {reason}" for reason, number in choice.rejected.most_common())
    return f"; rejected: {reasons}" if reasons else ""
