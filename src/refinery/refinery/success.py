"""Success tests on the true plug pose: *strict* is what Refinery reports, *engaged* the released code's loose test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Poses
from refinery.symmetry import remaining_angle_rad
from refinery.task import SuccessSpec

_KEYPOINTS_M = np.linspace(-0.075, 0.075, 4)
"""Four keypoints on a 0.15 m line along the plug's axis (Isaac Lab, check_plug_inserted_in_socket), [m]."""


class Tolerances(Protocol):
    """How far from its seat a plug may be to count as seated; a task's success test and a step's seating check are."""

    @property
    def depth_tolerance_m(self) -> float:
        """Along the axis, above and below, [m]."""

    @property
    def lateral_tolerance_m(self) -> float:
        """Across the axis, [m]."""

    @property
    def angle_tolerance_rad(self) -> float:
        """Turn and tilt, [rad]."""


@dataclass(frozen=True, kw_only=True)
class PlugOffset:
    """Where the plug is relative to the seated pose, each of shape (B,)."""

    height_m: NDArray[np.float64]
    """Height of the tip over the bottom of the hole, [m]; 0 is seated."""
    lateral_m: NDArray[np.float64]
    """Distance of the tip from the axis of the hole, [m]."""
    angle_rad: NDArray[np.float64]
    """Rotation of the plug away from the nearest way round that fits the socket, [rad]."""


def plug_offset(socket: Poses, plug: Poses, symmetry: int = 1) -> PlugOffset:
    """Measure plug against socket; both in one parent frame, broadcasting over the batch.

    Args:
        socket: Seated pose of the plug.
        plug: Its present pose.
        symmetry: Of the plug (:attr:`refinery.part.PartGeometry.symmetry`): n turns about its own axis look
            the same; 0 is a round section, whose turn about the axis does not count at all.
    """
    relative = socket.inverse() @ plug
    return PlugOffset(
        height_m=relative.pos_m[:, 2],
        lateral_m=np.linalg.norm(relative.pos_m[:, :2], axis=1),
        angle_rad=remaining_angle_rad(relative.quat_xyzw, symmetry),
    )


def strict(offset: PlugOffset, spec: Tolerances) -> NDArray[np.bool_]:
    """Seated to ``depth_tolerance_m`` (from above and below), on the axis and straight; to be read at the last step."""
    return (
        (np.abs(offset.height_m) < spec.depth_tolerance_m)
        & (offset.lateral_m < spec.lateral_tolerance_m)
        & (offset.angle_rad < spec.angle_tolerance_rad)
    )


def engaged(socket: Poses, plug: Poses, spec: SuccessSpec, depth_m: float) -> NDArray[np.bool_]:
    """Tip below the rim and mean keypoint error under ``engaged_error_m``; the released code accepts it at any step."""
    relative = socket.inverse() @ plug
    axis = relative.rotation.as_matrix()[:, :, 2]
    keypoints = relative.pos_m[:, None, :] + _KEYPOINTS_M[None, :, None] * axis[:, None, :]
    goals = np.zeros((4, 3))
    goals[:, 2] = _KEYPOINTS_M
    error = np.linalg.norm(keypoints - goals, axis=2).mean(axis=1)
    return (relative.pos_m[:, 2] < depth_m) & (error < spec.engaged_error_m)
