"""Goal constraints, as MoveIt's own clients and pymoveit2 build them: of joints, or of position and orientation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from moveit_msgs.msg import Constraints, OrientationConstraint, PositionConstraint
from shape_msgs.msg import SolidPrimitive

from refinery.rotations import Array, Poses
from refinery_ros.conversions import pose_from_message
from refinery_twin.planning import JointGoal, MoveItErrorCode, Planner, PlanningError, PoseGoal

FINEST = 1e-5
"""Pose goals are met to this, [m] and [rad]; a goal with a tolerance below it is refused."""


@dataclass(frozen=True, kw_only=True)
class JointTarget:
    """Joints inside intervals; the planner aims at their positions."""

    joints_rad: Array
    """To aim at, shape (7,), [rad]; a joint without a constraint stays where it starts."""
    below_rad: Array
    """Tolerance below, shape (7,), >= 0, [rad]; infinite for a joint without a constraint."""
    above_rad: Array
    """Tolerance above, shape (7,), >= 0, [rad]; infinite for a joint without a constraint."""

    def goal(self) -> JointGoal:
        """Return the goal for the planner."""
        return JointGoal(joints_rad=self.joints_rad)

    def met(self, planner: Planner, joints_rad: Array) -> bool:
        """Return whether joints (7,) [rad] satisfy it."""
        away = joints_rad - self.joints_rad
        return bool(np.all((-self.below_rad <= away) & (away <= self.above_rad)))


@dataclass(frozen=True, kw_only=True)
class PoseTarget:
    """A link with a point inside a region, in the requested orientation; the planner aims at the middle."""

    link: str
    """The link."""
    pose: Poses
    """Pose of the link in the base frame at the middle of the region, batch of one."""
    offset_m: Array
    """The point, in the link's frame, shape (3,), [m]."""
    region: Poses
    """Middle and axes of the region in the base frame, batch of one."""
    half_m: Array
    """Half edges of a box, shape (3,), or the radius of a sphere, shape (1,), [m]."""
    turn_rad: Array
    """Tolerance about x, y and z, shape (3,), [rad]."""
    rotation_vector: bool
    """Whether the rotation error is measured by its rotation vector instead of intrinsic x, y, z angles."""

    def goal(self) -> PoseGoal:
        """Return the goal for the planner."""
        return PoseGoal(pose=self.pose, link=self.link)

    def met(self, planner: Planner, joints_rad: Array) -> bool:
        """Return whether joints (7,) [rad] satisfy it."""
        link = planner.forward(joints_rad, self.link)
        point = Poses(pos_m=link.pos_m + link.rotation.apply(self.offset_m), quat_xyzw=link.quat_xyzw)
        inside = (self.region.inverse() @ point).pos_m[0]
        reach = np.abs(inside) if len(self.half_m) == 3 else np.linalg.norm(inside)
        turn = (self.pose.rotation.inv() * link.rotation)[0]
        angles = turn.as_rotvec() if self.rotation_vector else turn.as_euler("XYZ")
        return bool(np.all(reach <= self.half_m) and np.all(np.abs(angles) <= self.turn_rad))


Target = JointTarget | PoseTarget
"""One goal of a request."""


def read_target(planner: Planner, constraints: Constraints, start_rad: Array) -> Target:
    """Read the constraints of one goal.

    Args:
        planner: Knows joints, links and frames.
        constraints: Of joints, or of position and orientation of one link.
        start_rad: Where the arm starts, shape (7,), [rad]; frames of its links are those there.

    Raises:
        PlanningError: INVALID_GOAL_CONSTRAINTS, INVALID_LINK_NAME or FRAME_TRANSFORM_FAILURE.
    """
    positions, orientations = constraints.position_constraints, constraints.orientation_constraints
    if constraints.visibility_constraints:
        raise _refused(
            "no visibility constraints, they are not supported", str(len(constraints.visibility_constraints))
        )
    if constraints.joint_constraints and not positions and not orientations:
        return _joint_target(planner, constraints, start_rad)
    if constraints.joint_constraints or len(positions) != 1 or len(orientations) != 1:
        raise _refused(
            "joint constraints, or one position and one orientation constraint",
            f"{len(constraints.joint_constraints)} of joints, {len(positions)} of position, "
            f"{len(orientations)} of orientation",
        )
    return _pose_target(planner, positions[0], orientations[0], start_rad)


def _joint_target(planner: Planner, constraints: Constraints, start_rad: Array) -> JointTarget:
    names = list(planner.joint_names)
    joints, below, above = start_rad.copy(), np.full(7, np.inf), np.full(7, np.inf)
    for wanted in constraints.joint_constraints:
        if wanted.joint_name not in names:
            raise _refused(f"constraints of the joints {', '.join(names)}", repr(wanted.joint_name))
        values = wanted.position, wanted.tolerance_below, wanted.tolerance_above
        if not np.isfinite(values[0]) or not min(values[1:]) >= 0:
            raise _refused(
                f"{wanted.joint_name}: a finite position and tolerances >= 0 rad",
                f"{values[0]}, -{values[1]} +{values[2]}",
            )
        index = names.index(wanted.joint_name)
        joints[index], below[index], above[index] = values
    return JointTarget(joints_rad=joints, below_rad=below, above_rad=above)


def _pose_target(
    planner: Planner, position: PositionConstraint, orientation: OrientationConstraint, start_rad: Array
) -> PoseTarget:
    if position.link_name != orientation.link_name:
        raise _refused(
            "position and orientation of the same link", f"{position.link_name!r} and {orientation.link_name!r}"
        )
    if not position.link_name:
        raise PlanningError(MoveItErrorCode.INVALID_LINK_NAME, "link_name: expected a link of the robot, got none")
    for key, frame in (("position", position.header.frame_id), ("orientation", orientation.header.frame_id)):
        if not frame:
            # An empty frame is no constraint at all for MoveIt.
            raise PlanningError(
                MoveItErrorCode.FRAME_TRANSFORM_FAILURE, f"{key} constraint: expected a frame_id, got none"
            )
    region, half = _region(planner, position, start_rad)
    quat = orientation.orientation
    asked = Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.array([[quat.x, quat.y, quat.z, quat.w]]))
    rotation = planner.in_base(orientation.header.frame_id, asked, start_rad)
    offset = np.array([getattr(position.target_point_offset, axis) for axis in "xyz"])
    turn = np.array([getattr(orientation, f"absolute_{axis}_axis_tolerance") for axis in "xyz"])
    if not np.all(np.append(half, turn) >= FINEST):
        raise _refused(
            f"tolerances of at least {FINEST:g} m and {FINEST:g} rad", f"{half.tolist()} m and {turn.tolist()} rad"
        )
    if not np.isfinite(offset).all():
        raise _refused("a finite target_point_offset", f"{offset.tolist()}")
    return PoseTarget(
        link=position.link_name,
        pose=Poses(pos_m=region.pos_m - rotation.rotation.apply(offset), quat_xyzw=rotation.quat_xyzw),
        offset_m=offset,
        region=region,
        half_m=half,
        turn_rad=turn,
        rotation_vector=orientation.parameterization == OrientationConstraint.ROTATION_VECTOR,
    )


def _region(planner: Planner, position: PositionConstraint, start_rad: Array) -> tuple[Poses, Array]:
    """Return middle (base frame) and half size of the first solid of a region: all of them together are the region."""
    volume = position.constraint_region
    if not volume.primitives or len(volume.primitive_poses) < 1:
        raise _refused("a constraint_region of a sphere or a box with its pose", "neither")
    solid, sizes = volume.primitives[0], np.array(volume.primitives[0].dimensions)
    wanted = {SolidPrimitive.SPHERE: 1, SolidPrimitive.BOX: 3}.get(solid.type, -1)
    if len(sizes) != wanted:
        raise _refused("a sphere of one dimension or a box of three", f"type {solid.type} with {sizes.tolist()}")
    middle = planner.in_base(position.header.frame_id, pose_from_message(volume.primitive_poses[0]), start_rad)
    return middle, sizes / 2 if solid.type == SolidPrimitive.BOX else sizes


def _refused(expected: str, got: str) -> PlanningError:
    return PlanningError(MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, f"goal constraints: expected {expected}, got {got}")
