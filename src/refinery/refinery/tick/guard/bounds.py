"""The bounds of a target: near the measured pose (which bounds the force), inside the workspace, not too fast."""

from __future__ import annotations

import math

from refinery.force_bound import spring_limits
from refinery.rotations import Quat, Vec3
from refinery.task import Task
from refinery.tick.guard.reason import Reason
from refinery.tick.pose import (
    Matrix,
    Pose,
    clipped,
    conjugate,
    distance,
    finite,
    matrix_of,
    multiply,
    quat_of,
    rotvec_of,
    turned,
    turned_back,
)

Broken = tuple[Reason, str]
SLACK = 1e-9
"""Differences below this are rounding: the target is passed on bit by bit, [m] or [rad]."""
_POSE_TOLERANCE = 1e-3
"""How far the norm of a target's quaternion may be from 1."""


class Bounded:
    """A target after clipping.

    Args:
        target: The nearest allowed target found; None if none is allowed at all.
        reason: Which bound the given target broke first; NONE if none.
        problem: All bounds it broke, in words.
    """

    __slots__ = ("problem", "reason", "target")

    def __init__(self, target: Pose | None, reason: Reason = Reason.NONE, problem: str = "") -> None:
        self.target = target
        self.reason = reason
        self.problem = problem


class TargetBounds:
    """Clips targets of the tool.

    All bounds are axis-aligned in the estimated socket frame, so that their intersection is exact: distance from the
    measured pose within ``control.max_error`` (which bounds the force: :mod:`refinery.force_bound`), plug tip inside
    ``limits.workspace_*``, plug turned by less than ``limits.max_tilt_rad``. The speed limit yields to these.

    Args:
        task: Limits and gains.
        tool_from_plug: Plug pose in the tool frame; as intended if None.
    """

    def __init__(self, task: Task, tool_from_plug: Pose | None = None) -> None:
        self._tool_from_plug = Pose.of(task.plug.tool_from_plug) if tool_from_plug is None else tool_from_plug
        self._max_stretch, self._max_twist = spring_limits(task.control)
        self._low, self._high = task.limits.workspace_low_m, task.limits.workspace_high_m
        (x, y, z), (ax, ay, az), (bx, by, bz) = self._max_stretch, self._low, self._high
        self._inside_low: Vec3 = (ax - x, ay - y, az - z)
        self._inside_high: Vec3 = (bx + x, by + y, bz + z)
        tilt = task.limits.max_tilt_rad
        self._min_cosine, self._slack_cosine = math.cos(tilt / 2), math.cos((tilt + SLACK) / 2)
        self._max_step = task.limits.max_speed_m_s / task.control.policy_rate_hz

    def clip(self, target: Pose, measured: Pose, socket: Pose, last: Pose) -> Bounded:
        """Clip one target.

        Args:
            target: Target of the tool, base frame; may hold anything.
            measured: Measured tool pose, base frame, valid.
            socket: Filtered socket estimate, base frame, valid.
            last: The target commanded one policy period ago, valid.

        Returns:
            The allowed target and what was wrong with the given one.
        """
        if not _is_pose(target):
            return Bounded(None, Reason.ACTION_INVALID, "the target is not a pose")
        broken: list[Broken] = []
        turn = self._clip_turn(target.xyzw, measured.xyzw, socket, broken)
        if turn is None:
            return Bounded(None, Reason.WORKSPACE, "the plug is tilted beyond the limit")
        pos = self._clip_position(target.xyz_m, turn, measured.xyz_m, socket, last.xyz_m, broken)
        if pos is None:
            return Bounded(None, Reason.WORKSPACE, "the arm is outside the workspace")
        if not broken:
            return Bounded(target)
        return Bounded(Pose(pos, turn), broken[0][0], " and ".join([problem for _, problem in broken]))

    def plug_inside(self, measured: Pose, socket: Pose) -> bool:
        """Tell whether the measured plug tip is inside the workspace grown by ``max_error``."""
        x, y, z = self._tip(measured.xyz_m, measured.matrix(), socket)
        ax, ay, az = self._inside_low
        bx, by, bz = self._inside_high
        return ax <= x <= bx and ay <= y <= by and az <= z <= bz

    def _tip(self, tool_m: Vec3, tool_axes: Matrix, socket: Pose) -> Vec3:
        """Position of the plug's tip in the socket frame for a tool pose, [m]."""
        px, py, pz = turned(tool_axes, self._tool_from_plug.xyz_m)
        x, y, z = tool_m
        sx, sy, sz = socket.xyz_m
        return turned_back(socket.matrix(), (x + px - sx, y + py - sy, z + pz - sz))

    def _clip_turn(self, wanted: Quat, now: Quat, socket: Pose, broken: list[Broken]) -> Quat | None:
        """Clip the orientation; None if even the measured one is beyond the tilt limit and the target does not help."""
        axes = socket.matrix()
        error = turned_back(axes, rotvec_of(multiply(wanted, conjugate(now))))
        turn = clipped(error, self._max_twist)
        if turn != error and distance(turn, error) > SLACK:
            broken.append((Reason.TARGET_STEP, "the target is turned too far from the measured pose"))
        whole = wanted if turn == error else _moved(now, axes, turn, 1.0)
        if self._tilt_cosine(whole, socket) >= self._slack_cosine:
            return whole
        if self._tilt_cosine(now, socket) < self._min_cosine:
            return None
        broken.append((Reason.WORKSPACE, "the target is tilted too far from the socket"))
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            if self._tilt_cosine(_moved(now, axes, turn, middle), socket) >= self._min_cosine:
                low = middle
            else:
                high = middle
        return _moved(now, axes, turn, low)

    def _tilt_cosine(self, tool: Quat, socket: Pose) -> float:
        """Cosine of half the angle between plug and socket for an orientation of the tool."""
        # The scalar part of conjugate(socket) * plug: no more of that product is needed.
        x, y, z, w = multiply(tool, self._tool_from_plug.xyzw)
        sx, sy, sz, sw = socket.xyzw
        return abs(x * sx + y * sy + z * sz + w * sw)

    def _clip_position(
        self, wanted: Vec3, turn: Quat, now: Vec3, socket: Pose, last: Vec3, broken: list[Broken]
    ) -> Vec3 | None:
        """Clip the position; None if no position is both near the measured pose and inside the workspace."""
        length = distance(wanted, last)
        x, y, z = wanted
        if length > self._max_step + SLACK:
            broken.append((Reason.TARGET_SPEED, "the target moves too fast"))
            share = self._max_step / length
            lx, ly, lz = last
            x, y, z = lx + (x - lx) * share, ly + (y - ly) * share, lz + (z - lz) * share
        tx, ty, tz = self._tip(now, matrix_of(turn), socket)
        nx, ny, nz = now
        axes = socket.matrix()
        error = turned_back(axes, (x - nx, y - ny, z - nz))
        ex, ey, ez = error
        mx, my, mz = self._max_stretch
        ax, ay, az = self._low
        bx, by, bz = self._high
        # The allowed stretch: both within its limit and with the plug's tip inside the workspace.
        ax, ay, az = _larger(ax - tx, -mx), _larger(ay - ty, -my), _larger(az - tz, -mz)
        bx, by, bz = _smaller(bx - tx, mx), _smaller(by - ty, my), _smaller(bz - tz, mz)
        if not (ax <= bx and ay <= by and az <= bz):
            return None
        allowed = (
            bx if ex > bx else ax if ex < ax else ex,
            by if ey > by else ay if ey < ay else ey,
            bz if ez > bz else az if ez < az else ez,
        )
        if allowed != error:
            self._name_clipping(error, allowed, broken)
        x, y, z = turned(axes, allowed)
        return (nx + x, ny + y, nz + z)

    def _name_clipping(self, error: Vec3, allowed: Vec3, broken: list[Broken]) -> None:
        """Say by which bounds a stretch was clipped."""
        far = outside = False
        for value, near, limit in zip(error, allowed, self._max_stretch, strict=True):
            far = far or (near != value and abs(value) > limit + SLACK)
            outside = outside or (abs(value) <= limit + SLACK and abs(near - value) > SLACK)
        if far:
            broken.append((Reason.TARGET_STEP, "the target is too far from the measured pose"))
        if outside:
            broken.append((Reason.WORKSPACE, "the target is outside the workspace"))


def _moved(now: Quat, axes: Matrix, twist: Vec3, share: float) -> Quat:
    """Turn an orientation by a share of a twist about some axes."""
    x, y, z = twist
    return multiply(quat_of(turned(axes, (share * x, share * y, share * z))), now)


def _larger(a: float, b: float) -> float:
    return a if a > b else b


def _smaller(a: float, b: float) -> float:
    return a if a < b else b


def _is_pose(target: Pose) -> bool:
    """Tell whether a target holds finite numbers and a quaternion."""
    x, y, z = target.xyz_m
    qx, qy, qz, qw = target.xyzw
    norm = math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
    return finite(x) and finite(y) and finite(z) and abs(norm - 1.0) < _POSE_TOLERANCE
