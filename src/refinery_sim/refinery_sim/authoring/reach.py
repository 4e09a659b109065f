"""Whether a robot reaches the initial states of a task wherever the socket may stand, and which joint is in the way."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.initial_state import tool_pose
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.task import Task

MARGIN_RAD = 0.05
"""Least distance to a joint limit, as the sampler keeps it by default, [rad]."""
_CORNERS = 12
"""Corners of the box of initial states that are tried at each place of the socket."""
_ITERATIONS = 80


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What a robot reaches of a task's middle and outermost initial states at the outermost places of the socket."""

    tried: int
    """Combinations of a place of the socket and an initial state."""
    reached: int
    """Those with a joint solution away from the limits."""
    middle: str
    """Where and why the middle of the box is out of reach; empty if it is reached at every place."""
    corners: str
    """The same of its corners."""


def examine_reach(task: Task, profile: RobotProfile) -> Reach:
    """Solve the inverse kinematics over the box.

    Args:
        task: Socket ranges, grasp and deployment box.
        profile: The robot.

    Returns:
        How many were reached, and in words where and by which joint the others are not.
    """
    spec, box = task.socket, task.initial_state.deployed
    spread = [(-1.0, 1.0) if value > 0 else (0.0,) for value in (*spec.range_xyz_m, spec.range_yaw_rad)]
    places = np.array([[0.0] * 4, *itertools.product(*spread)])
    theta = np.vstack([(box.low + box.high)[None] / 2, _corners(box.low, box.high)])
    socket = np.repeat(places, len(theta), axis=0) * [*spec.range_xyz_m, spec.range_yaw_rad]
    socket[:, :3] += spec.nominal_xyz_m
    turns = np.column_stack([np.zeros((len(socket), 2)), socket[:, 3]])
    starts = np.tile(theta, (len(places), 1))
    goals = tool_pose(Poses.from_xyz_rpy(socket[:, :3], turns), starts, task.plug.tool_from_plug)
    joints, solved = profile.arm_kinematics().inverse(goals, profile.home_rad, iterations=_ITERATIONS)
    low, high = np.array(profile.limits.low_rad), np.array(profile.limits.high_rad)
    near = np.minimum(joints - low, high - joints).min(axis=1) < MARGIN_RAD
    bad = ~solved | near
    middle = np.arange(len(starts)) % len(theta) == 0
    return Reach(
        tried=len(starts),
        reached=int((~bad).sum()),
        middle=_in_words(profile, joints, goals, socket, starts, np.flatnonzero(bad & middle)),
        corners=_in_words(profile, joints, goals, socket, starts, np.flatnonzero(bad & ~middle)),
    )


def _corners(low: Array, high: Array) -> Array:
    """Some corners of a box, always the same."""
    signs = np.random.default_rng(0).integers(0, 2, size=(_CORNERS, len(low)))
    return np.where(signs == 0, low, high)


def _in_words(
    profile: RobotProfile, joints: Array, goals: Poses, socket: Array, starts: Array, bad: NDArray[np.intp]
) -> str:
    """Say how many are bad, which joint is nearest to its limit there, how far the tool stays away, and where first."""
    if len(bad) == 0:
        return ""
    low, high = np.array(profile.limits.low_rad), np.array(profile.limits.high_rad)
    room = np.stack([joints[bad] - low, high - joints[bad]])
    # The joint and side with the least room, most often.
    nearest = [np.unravel_index(int(np.argmin(room[:, row])), room[:, row].shape) for row in range(len(bad))]
    (side, joint), _ = Counter((int(side), int(joint)) for side, joint in nearest).most_common(1)[0]
    limit, name = (low, high)[side][joint], ("lower", "upper")[side]
    short_m = np.linalg.norm(profile.arm_kinematics().forward(joints[bad]).pos_m - goals.pos_m[bad], axis=1).max()
    x, y, z, yaw = socket[bad[0]]
    roll, pitch, turn = np.degrees(starts[bad[0], 3:6])
    return (
        f"{len(bad)} out of reach by up to {1e3 * short_m:.0f} mm, {profile.joint_names[joint]} "
        f"{room[side, :, joint].min():.2f} rad from its {name} limit of {limit:.3f} rad, first with the socket at "
        f"({x:.3f}, {y:.3f}, {z:.3f}) m turned by {np.degrees(yaw):.0f} deg and the plug's roll, pitch, yaw "
        f"{roll:.0f}, {pitch:.0f}, {turn:.0f} deg"
    )
