"""The service /sample_init: a request message in, a response message out."""

from __future__ import annotations

import secrets

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState

from refinery.initial_state import THETA_NAMES, tool_pose
from refinery.rotations import Poses
from refinery_msgs.srv import SampleInit
from refinery_sampler_node.candidates import Choice
from refinery_sampler_node.conversions import pose_to_stamped
from refinery_sampler_node.drawing import Drawing
from refinery_sampler_node.requests import RequestError, SampleRequest
from refinery_sampler_node.station import Station


def fresh_seed(seed: int) -> int:
    """Return the seed, or a random one for a negative seed."""
    return seed if seed >= 0 else secrets.randbits(63)


def answer(station: Station, request: SampleInit.Request, response: SampleInit.Response, stamp: Time) -> Drawing | None:
    """Fill the response to a request.

    Args:
        station: Of the configured, active node.
        request: What is asked for.
        response: Filled in; errors are in it, none is raised.
        stamp: Time of the poses.

    Returns:
        What to show of the choice, or None after an error.
    """
    task = station.sampler.bundle.task
    response.task = task.name
    response.theta_names = list(THETA_NAMES)
    asked = SampleRequest(
        task=request.task, mode=request.mode, count=int(request.count), seed=fresh_seed(int(request.seed))
    )
    try:
        station.sampler.check(asked)
        socket, source = _socket(station, request)
        choice = station.sampler.sample(asked, socket, require_reachable=request.require_reachable)
    except RequestError as error:
        refuse(response, error.code, str(error))
        return None
    _fill(station, request, response, choice, socket, stamp)
    response.seed_used = asked.seed
    mean = float(choice.success.mean.mean())
    response.message = (
        f"{asked.count} of {choice.candidates} candidates ({asked.mode}), predicted success {100 * mean:.0f} % "
        f"on average, at the {source}{_turned_down(choice)}"
    )
    return Drawing(choice=choice, socket=socket)


def refuse(response: SampleInit.Response, code: str, message: str) -> SampleInit.Response:
    """Fill a response with an error; ``code`` is the name of a constant."""
    response.success = False
    response.error_code = getattr(SampleInit.Response, code)
    response.message = message
    return response


def _socket(station: Station, request: SampleInit.Request) -> tuple[Poses, str]:
    """Return the socket pose to use, in the base frame, and where it is from in words."""
    if request.socket_pose.header.frame_id:
        pose = station.transforms.in_base(request.socket_pose, what="socket_pose")
        return pose, "socket pose of the request"
    estimate = station.estimates.mean()
    return estimate.pose, estimate.words


def _fill(
    station: Station,
    request: SampleInit.Request,
    response: SampleInit.Response,
    choice: Choice,
    socket: Poses,
    stamp: Time,
) -> None:
    names = station.profile.joint_names
    frame = request.socket_pose.header.frame_id or station.profile.base_frame
    tools = tool_pose(socket, choice.theta, station.sampler.bundle.task.plug.tool_from_plug)
    if frame != station.profile.base_frame:
        # The answer is in the frame of the question.
        tools = station.transforms.of_frame(frame, what="socket_pose").inverse() @ tools
    response.success = True
    response.error_code = SampleInit.Response.OK
    response.poses = [pose_to_stamped(tools, frame, stamp, i) for i in range(len(tools))]
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


def _turned_down(choice: Choice) -> str:
    reasons = ", ".join(f"{number} x {reason}" for reason, number in choice.rejected.most_common())
    return f"; turned down: {reasons}" if reasons else ""
