"""The way of the arm to an initial state: straight up out of whatever it is in, over, straight down; timed and smooth.

Every leg is a straight line of the tool that starts and ends at rest, so that the corners are exact and nothing
overshoots into the plate. Seeds of the inverse kinematics go linearly from the present joints to the goal's, so the way
ends exactly at the goal's joints and the elbow moves evenly. It is free of other obstacles only as far as the operator
keeps the space above the socket clear: there is no planning scene here.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation, Slerp

from refinery.kinematics import ArmKinematics
from refinery.rotations import Poses, angle_between_rad
from refinery_sampler_node.joint_path import JointPath, MotionLimits, PlacementError, check_path, time_leg

Array = NDArray[np.float64]

_KNOT_M = 0.01
_KNOT_RAD = 0.1
_JUMP_RAD = 0.35
"""Joints further apart than this between neighbouring knots belong to two different postures of the arm."""
_COLUMN_M = 0.2
"""The tool keeps this far from the vertical axis of the base: nearer, forearm and hand meet the arm's own column."""


def plan_placement(
    kinematics: ArmKinematics,
    *,
    start_rad: ArrayLike,
    goal_rad: ArrayLike,
    socket: Poses,
    limits: MotionLimits,
    lift_m: float = 0.04,
    point_s: float = 0.05,
) -> JointPath:
    """Plan up, over and down.

    Args:
        kinematics: Of the arm.
        start_rad: Present joints, at rest, shape (7,), [rad].
        goal_rad: Joints at the initial state, shape (7,), [rad].
        socket: Socket estimate in the base frame, batch of one; its z is "up".
        limits: Of joints and tool.
        lift_m: Height of the stand-off above the goal, [m].
        point_s: Longest time between points, [s].

    Returns:
        The way, at rest at both ends.

    Raises:
        PlacementError: A point of the way cannot be reached, or needs another posture, or the result breaks a limit.
    """
    start, goal = (np.asarray(q, dtype=np.float64) for q in (start_rad, goal_rad))
    corners = _corners(kinematics.forward(start), kinematics.forward(goal), socket, lift_m)
    legs = list(pairwise(corners))
    knots = [_line(a, b) for a, b in legs]
    joints = _solve(kinematics, knots, start, goal)
    times, positions, velocities = [np.zeros(1)], [start[None]], [np.zeros((1, 7))]
    for (a, b), q in zip(legs, joints, strict=True):
        length = float(np.linalg.norm(b.pos_m - a.pos_m))
        t, pos, vel = time_leg(q, length, limits, point_s)
        times.append(times[-1][-1] + t[1:])
        positions.append(pos[1:])
        velocities.append(vel[1:])
    path = JointPath(
        times_s=np.concatenate(times), positions_rad=np.vstack(positions), velocities_rad_s=np.vstack(velocities)
    )
    check_path(path, kinematics, limits)
    return path


def _corners(start: Poses, goal: Poses, socket: Poses, lift_m: float) -> list[Poses]:
    """Tool poses at the corners: start, above it, above the goal, goal; corners that are already met are left out."""
    up = socket.rotation.as_matrix()[:, :, 2]
    above_goal = Poses(pos_m=goal.pos_m + lift_m * up, quat_xyzw=goal.quat_xyzw)
    missing = float(((above_goal.pos_m - start.pos_m) * up).sum())
    above_start = Poses(pos_m=start.pos_m + max(missing, 0.0) * up, quat_xyzw=start.quat_xyzw)
    corners = [start]
    for pose in (above_start, above_goal, goal):
        far = np.linalg.norm(pose.pos_m - corners[-1].pos_m) > 1e-3
        if far or angle_between_rad(corners[-1].quat_xyzw, pose.quat_xyzw)[0] > 1e-2:
            corners.append(pose)
        elif len(corners) > 1:
            corners[-1] = pose
    return corners


def _line(a: Poses, b: Poses) -> Poses:
    """Evenly spaced tool poses on the straight line from a to b, both included."""
    length = np.linalg.norm(b.pos_m - a.pos_m) / _KNOT_M
    turn = angle_between_rad(a.quat_xyzw, b.quat_xyzw)[0] / _KNOT_RAD
    share = np.linspace(0.0, 1.0, max(4, int(np.ceil(max(length, turn))) + 1))
    between = Slerp([0.0, 1.0], Rotation.concatenate([a.rotation, b.rotation]))(share)
    return Poses(pos_m=a.pos_m + share[:, None] * (b.pos_m - a.pos_m), quat_xyzw=between.as_quat())


def _solve(kinematics: ArmKinematics, legs: list[Poses], start: Array, goal: Array) -> list[Array]:
    """Joints at all knots of all legs; neighbouring legs share their corner exactly."""
    sizes = [len(leg) for leg in legs]
    # Progress along the whole way, the same for the last knot of a leg and the first of the next.
    progress = np.concatenate([np.arange(n) + sum(sizes[:i]) - i for i, n in enumerate(sizes)])
    progress = progress / max(progress[-1], 1)
    poses = Poses(pos_m=np.vstack([leg.pos_m for leg in legs]), quat_xyzw=np.vstack([leg.quat_xyzw for leg in legs]))
    seeds = start + progress[:, None] * (goal - start)
    from_axis = np.hypot(poses.pos_m[:, 0], poses.pos_m[:, 1])
    if from_axis.min() < min(_COLUMN_M, from_axis[0] - 0.02):
        raise PlacementError(
            f"the straight way leads closer than {_COLUMN_M} m to the axis of the arm's base; "
            "move the arm to the side of the socket by hand and try again"
        )
    joints, reached = kinematics.inverse(poses, seeds)
    joints[0], joints[-1] = start, goal
    if not reached[1:-1].all():
        lost = int(np.argmin(reached))
        where = ", ".join(f"{v:.3f}" for v in poses.pos_m[lost])
        raise PlacementError(
            f"the arm cannot reach the tool position ({where}) m of the base frame, {progress[lost]:.0%} along the "
            "straight way; move it nearer to the socket by hand and try again"
        )
    steps = np.abs(np.diff(joints, axis=0)).max(axis=1)
    if steps.max() > _JUMP_RAD:
        raise PlacementError(
            f"the way needs another posture of the arm (a joint would jump by {steps.max():.2f} rad); "
            "move the arm near its home posture and try again"
        )
    return np.split(joints, np.cumsum(sizes)[:-1])
