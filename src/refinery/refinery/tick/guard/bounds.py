"""The bounds of a target: near the measured pose (which bounds the force), inside the workspace, not too fast."""

from __future__ import annotations

import math
from typing import NamedTuple

from refinery.force_bound import spring_limits
from refinery.rotations import (
    Matrix,
    OnePose,
    Poses,
    Quat,
    Vec3,
    clipped,
    conjugate,
    matrix_of,
    multiply,
    quat_of,
    rotvec_of,
    turned,
    turned_back,
)
from refinery.task import Task
from refinery.tick.guard.reason import Reason

Broken = tuple[Reason, str]
SLACK = 1e-9
"""Differences below this are rounding: the target is passed on bit by bit, [m] or [rad]."""


class Bounded(NamedTuple):
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
    measured pose within ``control.max_error`` (which bounds the force: :mod:`refinery.force_bound`), plug tip inside
    ``limits.workspace_*``, plug turned by less than ``limits.max_tilt_rad``. The speed limit yields to these.

    Args:
        task: Limits and gains.
        tool_from_plug: Plug pose in the tool frame, batch of one; as intended if None.
    """

    def __init__(self, task: Task, tool_from_plug: Poses | None = None) -> None:
        intended = task.plug.tool_from_plug
        self._tool_from_plug = OnePose.of(intended if tool_from_plug is None else tool_from_plug)
        self._max_stretch, self._max_twist = spring_limits(task.control)
        self._low, self._high = task.limits.workspace_low_m, task.limits.workspace_high_m
        (x, y, z), (ax, ay, az), (bx, by, bz) = self._max_stretch, self._low, self._high
        self._inside = ((ax - x, ay - y, az - z), (bx + x, by + y, bz + z))
        tilt = task.limits.max_tilt_rad
        self._min_cosine, self._slack_cosine = math.cos(tilt / 2), math.cos((tilt + SLACK) / 2)
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
        if not _is_pose(target):
            return Bounded(target=None, reason=Reason.ACTION_INVALID, problem="the target is not a pose")
        aim, now, hole, before = OnePose.of(target), OnePose.of(measured), OnePose.of(socket), OnePose.of(last)
        broken: list[Broken] = []
        turn = self._clip_turn(aim.xyzw, now.xyzw, hole, broken)
        if turn is None:
            return Bounded(target=None, reason=Reason.WORKSPACE, problem="the plug is tilted beyond the limit")
        pos = self._clip_position(aim.xyz_m, turn, now.xyz_m, hole, before.xyz_m, broken)
        if pos is None:
            return Bounded(target=None, reason=Reason.WORKSPACE, problem="the arm is outside the workspace")
        if not broken:
            return Bounded(target=target)
        return Bounded(
            target=OnePose(pos, turn),
            reason=broken[0][0],
            problem=" and ".join(problem for _, problem in broken),
        )

    def plug_inside(self, measured: OnePose, socket: OnePose) -> bool:
        """Tell whether the measured plug tip is inside the workspace grown by ``max_error``."""
        x, y, z = self._tip(measured.xyz_m, measured.matrix, socket)
        (ax, ay, az), (bx, by, bz) = self._inside
        return ax <= x <= bx and ay <= y <= by and az <= z <= bz

    def _tip(self, tool_m: Vec3, tool_axes: Matrix, socket: OnePose) -> Vec3:
        """Position of the plug's tip in the socket frame for a tool pose, [m]."""
        px, py, pz = turned(tool_axes, self._tool_from_plug.xyz_m)
        (x, y, z), (sx, sy, sz) = tool_m, socket.xyz_m
        return turned_back(socket.matrix, x + px - sx, y + py - sy, z + pz - sz)

    def _clip_turn(self, wanted: Quat, now: Quat, socket: OnePose, broken: list[Broken]) -> Quat | None:
        """Clip the orientation; None if even the measured one is beyond the tilt limit and the target does not help."""
        axes = socket.matrix
        error = turned_back(axes, *rotvec_of(multiply(wanted, conjugate(now))))
        cx, cy, cz = turn = clipped(error, self._max_twist)
        if turn != error and math.dist(turn, error) > SLACK:
            broken.append((Reason.TARGET_STEP, "the target is turned too far from the measured pose"))

        def moved(share: float) -> Quat:
            return multiply(quat_of(turned(axes, (share * cx, share * cy, share * cz))), now)

        whole = wanted if turn == error else moved(1.0)
        if self._tilt_cosine(whole, socket) >= self._slack_cosine:
            return whole
        if self._tilt_cosine(now, socket) < self._min_cosine:
            return None
        broken.append((Reason.WORKSPACE, "the target is tilted too far from the socket"))
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            inside = self._tilt_cosine(moved(middle), socket) >= self._min_cosine
            low, high = (middle, high) if inside else (low, middle)
        return moved(low)

    def _tilt_cosine(self, tool: Quat, socket: OnePose) -> float:
        """Cosine of half the angle between plug and socket for an orientation of the tool."""
        # The scalar part of conjugate(socket) * plug: no more of that product is needed.
        (x, y, z, w), (sx, sy, sz, sw) = multiply(tool, self._tool_from_plug.xyzw), socket.xyzw
        return abs(x * sx + y * sy + z * sz + w * sw)

    def _clip_position(
        self, wanted: Vec3, turn: Quat, now: Vec3, socket: OnePose, last: Vec3, broken: list[Broken]
    ) -> Vec3 | None:
        """Clip the position; None if no position is both near the measured pose and inside the workspace."""
        length = math.dist(wanted, last)
        x, y, z = wanted
        if length > self._max_step + SLACK:
            broken.append((Reason.TARGET_SPEED, "the target moves too fast"))
            share, (lx, ly, lz) = self._max_step / length, last
            x, y, z = lx + (x - lx) * share, ly + (y - ly) * share, lz + (z - lz) * share
        offset = self._tip(now, matrix_of(turn), socket)
        nx, ny, nz = now
        error = turned_back(socket.matrix, x - nx, y - ny, z - nz)
        allowed, far, outside = [], False, False
        limits = self._max_stretch
        for value, limit, tip, lower, upper in zip(error, limits, offset, self._low, self._high, strict=True):
            low, high = lower - tip, upper - tip
            low, high = low if low > -limit else -limit, high if high < limit else limit
            if not low <= high:
                return None
            near = high if value > high else low if value < low else value
            allowed.append(near)
            if near != value:
                far |= abs(value) > limit + SLACK
                outside |= abs(value) <= limit + SLACK and abs(near - value) > SLACK
        if far:
            broken.append((Reason.TARGET_STEP, "the target is too far from the measured pose"))
        if outside:
            broken.append((Reason.WORKSPACE, "the target is outside the workspace"))
        ax, ay, az = turned(socket.matrix, (allowed[0], allowed[1], allowed[2]))
        return (nx + ax, ny + ay, nz + az)


def _is_pose(target: Poses) -> bool:
    """Tell whether a batch of one holds finite numbers and a quaternion."""
    if isinstance(target, OnePose):
        (x, y, z), norm = target.xyz_m, math.hypot(*target.xyzw)
    else:
        (x, y, z), norm = target.pos_m[0].tolist(), math.hypot(*target.quat_xyzw[0].tolist())
    return math.isfinite(x) and math.isfinite(y) and math.isfinite(z) and abs(norm - 1.0) < 1e-3
