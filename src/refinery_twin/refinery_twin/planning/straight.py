"""Straight lines of a link: one pose after the other, each solved from the joints of the previous one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from refinery.rotations import Array, Poses, angle_between_rad
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning.collision_world import CollisionWorld
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.inverse import InverseKinematics
from refinery_twin.planning.motion import STEP_RAD

TURN_RAD = 0.05
"""Largest rotation between two checked poses, [rad]."""
_MOST_STEPS = 5000
JUMP_RAD = 0.35
"""A larger step of a joint is a change of the arm's configuration, [rad]."""


@dataclass(frozen=True, kw_only=True)
class Straight:
    """The part of a straight line that can be followed."""

    joints_rad: Array
    """Joints from the start, shape (K, 7), K >= 1, [rad]."""
    fraction: float
    """Share of the steps that is covered, [0, 1]."""
    reason: str
    """Why it ends early; empty if it does not."""


def follow(
    inverse: InverseKinematics,
    world: CollisionWorld | None,
    start_rad: Array,
    poses: Poses,
    link: str,
    revolute_jump_rad: float,
) -> Straight:
    """Follow poses as far as they can be reached without a jump or a collision.

    Args:
        inverse: Inverse kinematics of the arm.
        world: Collision model; None to ignore collisions.
        start_rad: Joints at the first pose, shape (7,), [rad].
        poses: Poses of the link in the base frame, close to each other.
        link: The link.
        revolute_jump_rad: Largest step of a joint, [rad].
    """
    joints, reason = [start_rad], ""
    for i in range(1, len(poses)):
        found = inverse.follow(poses[i], link, joints[-1])
        if found is None:
            reason = f"the arm cannot reach the next pose near {_where(poses, i)} of the base frame"
        elif np.abs(found - joints[-1]).max() > revolute_jump_rad:
            reason = f"the arm needs another configuration near {_where(poses, i)} of the base frame"
        elif world is not None and not world.free_between(joints[-1], found, STEP_RAD):
            touching = world.contacts(found) or world.contacts((joints[-1] + found) / 2)
            pairs = "; ".join(" and ".join(pair) for pair in touching) or "an object on the line"
            reason = f"a collision ({pairs}) near {_where(poses, i)} of the base frame"
        if reason or found is None:
            break
        joints.append(found)
    return Straight(joints_rad=np.array(joints), fraction=(len(joints) - 1) / max(len(poses) - 1, 1), reason=reason)


def cut_at_jump(followed: Straight, threshold: float) -> Straight:
    """Cut a line before its first step in joint space above a multiple of the mean step; 0 cuts nothing."""
    steps = np.linalg.norm(np.diff(followed.joints_rad, axis=0), axis=1)
    if not len(steps) or threshold <= 0 or steps.max() <= threshold * steps.mean():
        return followed
    kept = int(np.argmax(steps > threshold * steps.mean()))
    fraction = followed.fraction * kept / len(steps)
    reason = f"a step in joint space {steps[kept] / steps.mean():.1f} times the mean one"
    return Straight(joints_rad=followed.joints_rad[: kept + 1], fraction=fraction, reason=reason)


def line(start: Poses, waypoints: Poses, max_step_m: float) -> Poses:
    """Return closely spaced poses on the straight lines from a start through waypoints, both included.

    Args:
        start: Batch of one.
        waypoints: Batch of one or more.
        max_step_m: Largest distance between neighbours, [m]; the rotation is at most :data:`TURN_RAD`.

    Raises:
        PlanningError: INVALID_GOAL_CONSTRAINTS: too many steps.
    """
    positions, quaternions, last, steps = [start.pos_m], [start.quat_xyzw], start, 0
    for i in range(len(waypoints)):
        following = waypoints[i]
        length = np.linalg.norm(following.pos_m - last.pos_m) / max_step_m
        turn = angle_between_rad(last.quat_xyzw, following.quat_xyzw)[0] / TURN_RAD
        count = max(1, int(np.ceil(max(length, turn))))
        steps += count
        if steps > _MOST_STEPS:
            message = f"expected a straight line of at most {_MOST_STEPS} steps, got more; choose a larger max_step_m"
            raise PlanningError(MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, message)
        share = np.linspace(0.0, 1.0, count + 1)[1:]
        between = Slerp([0.0, 1.0], Rotation.concatenate([last.rotation, following.rotation]))(share)
        positions.append(last.pos_m + share[:, None] * (following.pos_m - last.pos_m))
        quaternions.append(between.as_quat())
        last = following
    return Poses(pos_m=np.vstack(positions), quat_xyzw=np.vstack(quaternions))


def _where(poses: Poses, index: int) -> str:
    return "({:.3f}, {:.3f}, {:.3f}) m".format(*poses.pos_m[index])
