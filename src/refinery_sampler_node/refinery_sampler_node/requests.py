"""Checking a request before anything is drawn or moved: every refusal is a code and one sentence with what to do."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from refinery.errors import RefineryError
from refinery.rotations import Poses
from refinery.task import Task
from refinery_sampler_node.candidates import MODES

_UNIT_TOLERANCE = 1e-3


class RequestError(RefineryError):
    """A request cannot be served; nothing was drawn and nothing moved.

    Args:
        code: Name of a constant of refinery_msgs/srv/SampleInit.
        message: One sentence: expected, got, what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What is asked for, checked by :func:`check_request`."""

    task: str
    """Name of the task; empty: the loaded one."""
    mode: str
    """One of :data:`refinery_sampler_node.candidates.MODES`."""
    count: int
    """How many initial states."""
    seed: int
    """Of the draw, at least 0."""


def check_request(request: SampleRequest, *, loaded_task: Task, max_count: int) -> None:
    """Check task, count and mode.

    Args:
        request: What is asked for.
        loaded_task: The task of the loaded bundle.
        max_count: Largest count accepted.

    Raises:
        RequestError: With the first thing that is wrong.
    """
    check_task(request.task, loaded_task)
    if not 1 <= request.count <= max_count:
        raise RequestError(
            "BAD_COUNT",
            f"count: expected 1 to {max_count}, got {request.count}; "
            "ask several times or raise the parameter max_count",
        )
    if request.mode not in MODES:
        close = difflib.get_close_matches(request.mode, MODES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "leave it out for 'best'"
        raise RequestError("BAD_MODE", f"mode: expected one of {', '.join(MODES)}, got {request.mode!r}; {hint}")


def check_task(asked: str, loaded: Task) -> None:
    """Check that the loaded task is the one that is asked for.

    Args:
        asked: Its name or its hash; empty: whichever is loaded.
        loaded: The task of the loaded bundle.

    Raises:
        RequestError: It is another one.
    """
    if not loaded.is_meant_by(asked):
        raise RequestError(
            "UNKNOWN_TASK",
            f"task: expected the loaded one, {loaded.name!r} ({loaded.hash()}), got {asked!r}; "
            "leave it empty or start the node with a bundle for that task",
        )


def checked_pose(
    frame: str, pos_m: tuple[float, ...], quat_xyzw: tuple[float, ...], *, base_frame: str, what: str
) -> Poses:
    """Check a pose that came from outside.

    Args:
        frame: Frame it says it is in.
        pos_m: Position, [m].
        quat_xyzw: Orientation.
        base_frame: Frame it must be in.
        what: Named in errors.

    Returns:
        The pose in the base frame, batch of one.

    Raises:
        RequestError: Wrong frame, not finite, or not a unit quaternion.
    """
    if frame != base_frame:
        raise RequestError(
            "BAD_SOCKET_POSE",
            f"{what}: header.frame_id: expected {base_frame!r} (the arm's base), got {frame!r}; "
            "transform the pose first",
        )
    return checked_numbers(pos_m, quat_xyzw, what=what)


def checked_numbers(pos_m: tuple[float, ...], quat_xyzw: tuple[float, ...], *, what: str) -> Poses:
    """Check the numbers of a pose that came from outside.

    Args:
        pos_m: Position, [m].
        quat_xyzw: Orientation.
        what: Named in errors.

    Returns:
        The pose, batch of one.

    Raises:
        RequestError: Not finite, or not a unit quaternion.
    """
    if not np.all(np.isfinite([*pos_m, *quat_xyzw])):
        raise RequestError("BAD_SOCKET_POSE", f"{what}: expected finite numbers, got {pos_m}, {quat_xyzw}")
    norm = float(np.linalg.norm(quat_xyzw))
    if abs(norm - 1.0) > _UNIT_TOLERANCE:
        raise RequestError(
            "BAD_SOCKET_POSE", f"{what}: expected a unit quaternion, got one of length {norm:.4f}; normalise it first"
        )
    return Poses.single(pos_m, quat_xyzw)
