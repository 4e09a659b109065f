"""The bounds of a target: near the measured pose (which bounds the force), inside the workspace, not too fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from refinery.rotations import Poses
from refinery.task import Task
from refinery_policy_node.guard.reason import Reason

Array = NDArray[np.float64]
Broken = tuple[Reason, str]
SLACK = 1e-9
"""Differences below this are rounding: the target is passed on bit by bit, [m] or [rad]."""


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A target after clipping."""

    target: Poses | None
    """The nearest allowed target found, batch of one; None if none is allowed at all."""
    reason: Reason = Reason.NONE
    """Which bound the given target broke first; NONE if none."""
    problem: str = ""
    """All bounds it broke, in words."""


class TargetBounds:
    """Clips targets of the tool.

    All bounds are axis-aligned in the estimated socket frame, so that their intersection is exact: distance from the
    measured pose within ``control.max_error`` (times the stiffness, that is ``control.max_force``), plug tip inside
    ``limits.workspace_*``, plug turned by less than ``limits.max_tilt_rad``. The speed limit yields to these.

    Args:
        task: Limits and gains.
        held: Plug pose in the tool frame, batch of one; as intended if None.
    """

    def __init__(self, task: Task, held: Poses | None = None) -> None:
        self._plug = task.plug.tool_from_plug if held is None else held
        self._max_error = np.asarray(task.control.max_error)
        self._low = np.asarray(task.limits.workspace_low_m)
        self._high = np.asarray(task.limits.workspace_high_m)
        self._max_tilt = task.limits.max_tilt_rad
        self._max_step = task.limits.max_speed_m_s / task.control.policy_rate_hz

    def clip(self, target: Poses, measured: Poses, socket: Poses, last: Poses) -> Bounded:
        """Clip one target.

        Args:
            target: Target of the tool, base frame, batch of one; may hold anything.
            measured: Measured tool pose, base frame, valid.
            socket: Filtered socket estimate, base frame, valid.
            last: The target commanded one policy period ago, valid.

        Returns:
            The allowed target and what was wrong with the given one.
        """
        broken: list[Broken] = []
        norm = float(np.linalg.norm(target.quat_xyzw))
        if not (np.all(np.isfinite(target.pos_m)) and np.isfinite(norm) and abs(norm - 1.0) < 1e-3):
            return Bounded(target=None, reason=Reason.ACTION_INVALID, problem="the target is not a pose")
        turn = self._clip_turn(target, measured, socket, broken)
        if turn is None:
            return Bounded(target=None, reason=Reason.WORKSPACE, problem="the plug is tilted beyond the limit")
        pos = self._clip_position(target.pos_m[0], turn, measured, socket, last, broken)
        if pos is None:
            return Bounded(target=None, reason=Reason.WORKSPACE, problem="the arm is outside the workspace")
        if not broken:
            return Bounded(target=target)
        quat = np.atleast_2d(turn.as_quat())
        return Bounded(
            target=Poses(pos_m=pos[None], quat_xyzw=quat),
            reason=broken[0][0],
            problem=" and ".join(problem for _, problem in broken),
        )

    def plug_inside(self, measured: Poses, socket: Poses) -> bool:
        """Tell whether the measured plug tip is inside the workspace grown by ``max_error``."""
        tip = (socket.inverse() @ (measured @ self._plug)).pos_m[0]
        margin = self._max_error[:3]
        return bool(np.all((tip >= self._low - margin) & (tip <= self._high + margin)))

    def _clip_turn(self, target: Poses, measured: Poses, socket: Poses, broken: list[Broken]) -> Rotation | None:
        """Clip the orientation; None if even the measured one is beyond the tilt limit and the target does not help."""
        axes, now = socket.rotation[0], measured.rotation[0]
        error = axes.apply((target.rotation[0] * now.inv()).as_rotvec(), inverse=True)
        clipped = np.clip(error, -self._max_error[3:], self._max_error[3:])
        if np.abs(clipped - error).max() > SLACK:
            broken.append((Reason.TARGET_STEP, "the target is turned too far from the measured pose"))

        def turned(share: float) -> Rotation:
            return Rotation.from_rotvec(axes.apply(share * clipped)) * now

        def tilt(rotation: Rotation) -> float:
            return float((axes.inv() * rotation * self._plug.rotation[0]).magnitude())

        if tilt(turned(1.0)) <= self._max_tilt + SLACK:
            return turned(1.0)
        if tilt(now) > self._max_tilt:
            return None
        broken.append((Reason.WORKSPACE, "the target is tilted too far from the socket"))
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if tilt(turned(middle)) <= self._max_tilt else (low, middle)
        return turned(low)

    def _clip_position(
        self, wanted: Array, turn: Rotation, measured: Poses, socket: Poses, last: Poses, broken: list[Broken]
    ) -> Array | None:
        """Clip the position; None if no position is both near the measured pose and inside the workspace."""
        axes = socket.rotation[0]
        step = wanted - last.pos_m[0]
        length = float(np.linalg.norm(step))
        pos = wanted
        if length > self._max_step + SLACK:
            broken.append((Reason.TARGET_SPEED, "the target moves too fast"))
            pos = last.pos_m[0] + step * (self._max_step / length)
        offset = axes.apply(measured.pos_m[0] + turn.apply(self._plug.pos_m[0]) - socket.pos_m[0], inverse=True)
        error = axes.apply(pos - measured.pos_m[0], inverse=True)
        low = np.maximum(-self._max_error[:3], self._low - offset)
        high = np.minimum(self._max_error[:3], self._high - offset)
        if not np.all(low <= high):
            return None
        clipped = np.clip(error, low, high)
        far = np.abs(error) > self._max_error[:3] + SLACK
        if np.any(far):
            broken.append((Reason.TARGET_STEP, "the target is too far from the measured pose"))
        if np.any(~far & (np.abs(clipped - error) > SLACK)):
            broken.append((Reason.WORKSPACE, "the target is outside the workspace"))
        result: Array = measured.pos_m[0] + axes.apply(clipped)
        return result
