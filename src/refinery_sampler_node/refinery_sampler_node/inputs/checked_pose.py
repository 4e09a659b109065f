"""Checks of received poses; every refusal is a code and one sentence with what to do."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped

from refinery.rotations import Poses
from refinery_ros.conversions import pose_numbers
from refinery_sampler_node.request_error import RequestError

_UNIT_TOLERANCE = 1e-3


def checked_pose_message(message: PoseStamped, *, base_frame: str, what: str) -> Poses:
    """Check a stamped pose and return it, batch of one; raises RequestError naming ``what``."""
    pos_m, quat_xyzw = pose_numbers(message.pose)
    return checked_pose(message.header.frame_id, pos_m, quat_xyzw, base_frame=base_frame, what=what)


def checked_pose(
    frame: str, pos_m: tuple[float, ...], quat_xyzw: tuple[float, ...], *, base_frame: str, what: str
) -> Poses:
    """Check a received pose.

    Args:
        frame: Frame of the message.
        pos_m: Position, [m].
        quat_xyzw: Orientation.
        base_frame: The required frame.
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
    """Check the numbers of a received pose.

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
