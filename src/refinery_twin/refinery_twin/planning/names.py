"""Checks of the names and values of a request: groups, links, joints, frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning.arm_model import ArmModel
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.timing import MotionLimits

_UNIT_TOLERANCE = 0.01
_ROUNDING_RAD = 1e-6


def check_group(profile: RobotProfile, name: str) -> None:
    """Accept the profile's planning group or an empty name.

    Raises:
        PlanningError: INVALID_GROUP_NAME.
    """
    if name not in ("", profile.moveit.group):
        raise PlanningError(
            MoveItErrorCode.INVALID_GROUP_NAME, f"expected the planning group {profile.moveit.group!r}, got {name!r}"
        )


def arm_link(model: ArmModel, link: str) -> str:
    """Return a link whose pose can be requested; an empty name is the tool frame.

    Raises:
        PlanningError: INVALID_LINK_NAME: it does not move with the last joint.
    """
    tool = model.profile.frames.tool
    carrier = model.links[tool].carrier
    known = [name for name, place in model.links.items() if place.carrier == carrier]
    if link and link not in known:
        raise PlanningError(MoveItErrorCode.INVALID_LINK_NAME, f"expected one of {', '.join(known)}, got {link!r}")
    return link or tool


def seven(values: ArrayLike, what: str, code: MoveItErrorCode = MoveItErrorCode.INVALID_ROBOT_STATE) -> Array:
    """Return seven finite joints, shape (7,), [rad].

    Raises:
        PlanningError: With the code.
    """
    joints = np.asarray(values, dtype=np.float64)
    if joints.shape != (7,) or not np.isfinite(joints).all():
        raise PlanningError(code, f"{what}: expected 7 finite joint positions [rad], got {joints.tolist()}")
    return joints


def outside(model: ArmModel, joints_rad: Array) -> str | None:
    """Return which joint (7,) [rad] is outside its limits, or None."""
    by = np.maximum(model.low_rad - joints_rad, joints_rad - model.high_rad)
    worst = int(np.argmax(by))
    if by[worst] <= _ROUNDING_RAD:
        return None
    return (
        f"{model.profile.joint_names[worst]}: expected {model.low_rad[worst]:.4f} to {model.high_rad[worst]:.4f} rad, "
        f"got {joints_rad[worst]:.4f} rad"
    )


def sorted_joints(model: ArmModel, names: Sequence[str], positions_rad: ArrayLike, default_rad: Array | None) -> Array:
    """Sort named joints into the profile's order; see :meth:`Planner.joints`."""
    values = np.asarray(positions_rad, dtype=np.float64)
    if values.shape != (len(names),) or not np.isfinite(values).all():
        raise PlanningError(
            MoveItErrorCode.INVALID_ROBOT_STATE, f"expected {len(names)} finite joint positions, got {values.tolist()}"
        )
    known = model.profile.joint_names
    strange = sorted(set(names) - set(known) - set(model.finger_joints))
    if strange:
        raise PlanningError(
            MoveItErrorCode.INVALID_ROBOT_STATE, f"expected joints among {', '.join(known)}, got {', '.join(strange)}"
        )
    given = dict(zip(names, values.tolist(), strict=True))
    missing = [name for name in known if name not in given]
    if missing and default_rad is None:
        raise PlanningError(
            MoveItErrorCode.INVALID_ROBOT_STATE,
            f"expected all of {', '.join(known)}, got none for {', '.join(missing)}",
        )
    defaults = np.zeros(7) if default_rad is None else default_rad
    return np.array([given.get(name, default) for name, default in zip(known, defaults, strict=True)])


def unit_pose(pose: Poses, what: str) -> Poses:
    """Return poses with their quaternions normalised.

    Raises:
        PlanningError: FRAME_TRANSFORM_FAILURE: not finite, or an orientation that is none.
    """
    norm = np.linalg.norm(pose.quat_xyzw, axis=1, keepdims=True)
    good = np.isfinite(pose.pos_m).all() and bool(np.all(np.abs(norm - 1) <= _UNIT_TOLERANCE))
    if not good:
        raise PlanningError(
            MoveItErrorCode.FRAME_TRANSFORM_FAILURE,
            f"{what}: expected finite positions and unit quaternions (xyzw), got {pose.pos_m.tolist()} m and "
            f"{pose.quat_xyzw.tolist()}",
        )
    return Poses(pos_m=pose.pos_m, quat_xyzw=pose.quat_xyzw / norm)


def motion_limits(
    profile: RobotProfile, velocity: float | None, acceleration: float | None, tool_speed_m_s: float | None
) -> MotionLimits:
    """Return the limits of a motion; None stands for the profile's.

    Raises:
        PlanningError: INVALID_GOAL_CONSTRAINTS: out of range.
    """
    limits = profile.limits
    asked = MotionLimits(
        velocity_scaling=limits.velocity_scaling if velocity is None else velocity,
        acceleration_scaling=limits.acceleration_scaling if acceleration is None else acceleration,
        tool_speed_m_s=limits.tool_speed_m_s if tool_speed_m_s is None else tool_speed_m_s,
    )
    for name in ("velocity_scaling", "acceleration_scaling"):
        if not 0 < getattr(asked, name) <= 1:
            raise refused_goal(f"{name}: expected a share in (0, 1], got {getattr(asked, name)}")
    if not asked.tool_speed_m_s > 0:
        raise refused_goal(f"tool_speed_m_s: expected a speed > 0 m/s, got {asked.tool_speed_m_s}")
    return asked


def refused_goal(message: str) -> PlanningError:
    """Return the refusal of an invalid goal."""
    return PlanningError(MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, message)
