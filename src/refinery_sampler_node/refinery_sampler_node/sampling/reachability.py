"""Checks which initial states the arm can reach: tool pose, inverse kinematics, margins to joint limits and plate.

The seed of the inverse kinematics is always the home posture, so that the joints of a pose are a function of the pose
alone and the elbow does not drift over many placements.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refinery.initial_state import plug_pose, tool_pose
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.rotations import Array, Poses
from refinery.task import Task

NO_SOLUTION = "no inverse kinematics"
NEAR_LIMIT = "too near a joint limit"
TOUCHES = "the plug would touch the plate"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Reachability of a batch of initial states; every array has the batch length B."""

    tool: Poses
    """Requested tool poses, base frame."""
    joints_rad: Array
    """Joint angles, shape (B, 7), [rad]; meaningful where :attr:`ok`."""
    ok: NDArray[np.bool_]
    """Which initial states can be reached."""
    reasons: tuple[str, ...]
    """Reason of each rejection, one of this module's constants; an empty string where :attr:`ok`."""

    def rejected(self) -> Counter[str]:
        """Count the rejections by reason."""
        return Counter(reason for reason in self.reasons if reason)


class Reachability:
    """Checks initial states of one task for one arm.

    Args:
        task: Grasp and socket.
        part: Shape of the held part.
        kinematics: Kinematics of the arm.
        home_rad: Seed of the inverse kinematics, shape (7,), [rad].
        limit_margin_rad: Smallest distance to a joint limit, [rad].
        plate_margin_m: Smallest height of the plug's lowest corner over the rim, [m].
    """

    def __init__(
        self,
        task: Task,
        part: PartGeometry,
        kinematics: ArmKinematics,
        home_rad: ArrayLike,
        *,
        limit_margin_rad: float = 0.05,
        plate_margin_m: float = 0.001,
    ) -> None:
        self.kinematics = kinematics
        self._task, self._part = task, part
        self._home = np.asarray(home_rad, dtype=np.float64)
        self._limit_margin = limit_margin_rad
        self._plate_margin = plate_margin_m

    def check(self, theta: Array, socket: Poses) -> Reach:
        """Check initial states.

        Args:
            theta: Initial states, shape (B, 9), order :data:`refinery.initial_state.THETA_NAMES`.
            socket: Socket estimate in the base frame, batch of one.

        Returns:
            Tool poses, joints and reasons of rejection.
        """
        return self._check(tool_pose(socket, theta, self._task.plug.tool_from_plug), plug_pose(socket, theta), socket)

    def check_tool(self, tool: Poses, socket: Poses, grasp: Array) -> Reach:
        """Check tool poses (base frame, batch B) with the grasps (B, 3) of the plug, instead of theta."""
        return self._check(tool, tool @ self._task.plug.tool_from_plug_at(grasp), socket)

    def _check(self, tool: Poses, plug: Poses, socket: Poses) -> Reach:
        joints, solved = self.kinematics.inverse(tool, self._home)
        low, high = self.kinematics.low_rad, self.kinematics.high_rad
        margin = np.minimum(joints - low, high - joints).min(axis=1)
        touching = self._lowest_corner_m(plug, socket) < self._task.rim_height_m + self._plate_margin
        reasons = np.full(len(tool), "", dtype=object)
        reasons[margin < self._limit_margin] = NEAR_LIMIT
        reasons[~solved] = NO_SOLUTION
        reasons[touching & self._over_plate(plug, socket)] = TOUCHES
        return Reach(tool=tool, joints_rad=joints, ok=reasons == "", reasons=tuple(str(reason) for reason in reasons))

    def _lowest_corner_m(self, plug: Poses, socket: Poses) -> Array:
        """Height of the lowest corner of the tip over the seated tip, shape (B,), [m]."""
        relative = socket.inverse() @ plug
        corners = self._part.corners_m
        corners = np.c_[corners, np.zeros(len(corners))]
        lowest = (relative.rotation.as_matrix()[:, 2, :] @ corners.T).min(axis=1)
        return np.asarray(relative.pos_m[:, 2] + lowest)

    def _over_plate(self, plug: Poses, socket: Poses) -> NDArray[np.bool_]:
        """Return whether the tip is above the plate or within the plug's diagonal of it, shape (B,)."""
        reach = self._task.socket.plate_half_size_m + float(np.hypot(*self._part.half_size_m))
        return np.asarray(np.abs((socket.inverse() @ plug).pos_m[:, :2]).max(axis=1) < reach)
