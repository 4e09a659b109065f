"""The interface of the planner: what a ``move_group`` server needs, in plain values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning import names as checked
from refinery_twin.planning.arm_model import ArmModel
from refinery_twin.planning.clock import Deadline
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.inverse import InverseKinematics
from refinery_twin.planning.requests import JointGoal, PoseGoal, StraightPath, TimedPath, Validity
from refinery_twin.planning.scene import PlanningScene
from refinery_twin.planning.search import Search, touching
from refinery_twin.planning.straight import JUMP_RAD, cut_at_jump, follow, line
from refinery_twin.planning.timing import Timer


class Planner:
    """Plans motions of one arm among the objects of its scene.

    The same request with the same seed, scene and start gives the same answer, unless it runs out of time.

    Args:
        profile: Joints, limits, kinematics and names of the arm.
        padding_m: By how much the links are thicker for collision checks, [m].
    """

    def __init__(self, profile: RobotProfile, *, padding_m: float = 0.002) -> None:
        self.profile = profile
        self._model = ArmModel(profile, padding_m)
        self.scene = PlanningScene(self._model)
        """Objects around the arm and in its hand; changed through its own methods."""
        self._inverse = InverseKinematics(self._model)
        self._timer = Timer(self._model, profile.arm_kinematics())
        self._search = Search(self._model, self.scene, self._inverse, self._timer)

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The arm's joints, in the order of every array of joints here."""
        return self.profile.joint_names

    def check_group(self, name: str) -> None:
        """Accept the profile's MoveIt group (or an empty name, meaning the only one).

        Raises:
            PlanningError: INVALID_GROUP_NAME.
        """
        checked.check_group(self.profile, name)

    def joints(self, names: Sequence[str], positions_rad: ArrayLike, *, default_rad: ArrayLike | None = None) -> Array:
        """Sort named joint positions into the profile's order; the gripper's joints are recorded and left out.

        Args:
            names: Joint names, as in ``sensor_msgs/JointState``.
            positions_rad: One for each, [rad].
            default_rad: Joints that are not named, shape (7,), [rad]; none if all seven must be.

        Returns:
            Joints in the profile's order, shape (7,), [rad].

        Raises:
            PlanningError: INVALID_ROBOT_STATE: a name is unknown or missing, lengths differ, a value is not finite.
        """
        default = None if default_rad is None else checked.seven(default_rad, "default")
        return checked.sorted_joints(self._model, names, positions_rad, default)

    def in_base(self, frame: str, pose: Poses, joints_rad: ArrayLike) -> Poses:
        """Transform a pose from any frame of the scene to the base frame.

        Args:
            frame: Empty or the base frame, a link of the robot, or an object of the scene.
            pose: In that frame, batch of one.
            joints_rad: Where the arm is, shape (7,), [rad].

        Raises:
            PlanningError: FRAME_TRANSFORM_FAILURE: no such frame, or the pose is not finite or has no orientation.
        """
        unit = checked.unit_pose(pose, "pose")
        if frame in ("", self.profile.frames.base):
            return unit
        if frame in self.scene.objects:
            return self.scene.objects[frame].pose @ unit
        held = self.scene.attached.get(frame)
        link = frame if held is None else held.link
        if link not in self._model.links:
            known = ", ".join([*self.scene.links, *self.scene.objects, *self.scene.attached])
            raise PlanningError(
                MoveItErrorCode.FRAME_TRANSFORM_FAILURE, f"expected one of the frames {known}, got {frame!r}"
            )
        at_link = unit if held is None else held.object.pose @ unit
        joints = checked.seven(joints_rad, "joints")
        return self._model.pose_of(link, joints, self.scene.fingers_m) @ at_link

    def forward(self, joints_rad: ArrayLike, link: str = "") -> Poses:
        """Pose of a link (empty: the tool frame) in the base frame, batch of one.

        Raises:
            PlanningError: INVALID_LINK_NAME or INVALID_ROBOT_STATE.
        """
        name = link or self.profile.frames.tool
        if name not in self._model.links:
            raise PlanningError(
                MoveItErrorCode.INVALID_LINK_NAME,
                f"expected one of the links {', '.join(self.scene.links)}, got {link!r}",
            )
        return self._model.pose_of(name, checked.seven(joints_rad, "joints"), self.scene.fingers_m)

    def check_state(self, joints_rad: ArrayLike) -> Validity:
        """Return whether the arm may be at these joints, and the collisions if not.

        Raises:
            PlanningError: INVALID_ROBOT_STATE: not seven finite numbers.
        """
        joints = checked.seven(joints_rad, "joints")
        reason = checked.outside(self._model, joints)
        if reason is not None or self.scene.world.free(joints):
            return Validity(valid=reason is None, contacts=(), reason=reason or "")
        contacts = self.scene.world.contacts(joints)
        return Validity(valid=False, contacts=contacts, reason=touching(contacts))

    def inverse(
        self,
        pose: Poses,
        *,
        seed_rad: ArrayLike,
        link: str = "",
        avoid_collisions: bool = True,
        attempts: int = 20,
        timeout_s: float = 1.0,
        seed: int = 0,
    ) -> Array:
        """Joints that put a link at a pose, inside the limits: the solution from the seed, or else from a random start.

        Args:
            pose: Pose of the link in the base frame, batch of one.
            seed_rad: Where the solver starts first, shape (7,), [rad]; what it finds from there is close to it.
            link: Tool frame, hand, flange or last link of the arm; empty for the tool frame.
            avoid_collisions: Accept only joints that are free of collisions.
            attempts: Starts of the solver: the seed, then random ones; >= 1.
            timeout_s: Stops making new attempts, > 0, [s].
            seed: Seed of the random starts.

        Returns:
            Joints, shape (7,), [rad]; the pose is met to 1e-5 m and 1e-5 rad.

        Raises:
            PlanningError: NO_IK_SOLUTION: out of reach; GOAL_IN_COLLISION: all solutions collide; TIMED_OUT;
                INVALID_LINK_NAME; INVALID_ROBOT_STATE: the seed.
        """
        name, target = checked.arm_link(self._model, link), checked.unit_pose(pose, "pose")
        start, deadline = checked.seven(seed_rad, "seed"), Deadline(timeout_s)
        found = None
        for joints in self._inverse.solutions(target, name, start, attempts, np.random.default_rng(seed), deadline):
            if not avoid_collisions or self.scene.world.free(joints):
                return joints
            found = joints if found is None else found
        raise self._search.unsolved(target, name, found, deadline)

    def plan(
        self,
        start_rad: ArrayLike,
        goal: JointGoal | PoseGoal,
        *,
        velocity_scaling: float | None = None,
        acceleration_scaling: float | None = None,
        tool_speed_m_s: float | None = None,
        attempts: int = 5,
        timeout_s: float = 5.0,
        seed: int = 0,
    ) -> TimedPath:
        """Plan a motion that is free of collisions, short, and inside the limits from rest to rest.

        Args:
            start_rad: Joints of the arm at rest, shape (7,), [rad].
            goal: Where it is to go.
            velocity_scaling: Share of the arm's velocity limits to use, (0, 1]; none for the profile's.
            acceleration_scaling: Share of the arm's acceleration limits to use, (0, 1]; none for the profile's.
            tool_speed_m_s: Largest speed of the tool, > 0, [m/s]; none for the profile's.
            attempts: Planning attempts, each towards another solution of a pose goal; >= 1.
            timeout_s: Time for everything, > 0, [s].
            seed: Seed of all random numbers.

        Returns:
            The trajectory; it starts exactly at ``start_rad``.

        Raises:
            PlanningError: START_STATE_IN_COLLISION, GOAL_IN_COLLISION, NO_IK_SOLUTION, PLANNING_FAILED (no path found),
                TIMED_OUT, INVALID_ROBOT_STATE (start), INVALID_GOAL_CONSTRAINTS (joints of the goal, scaling),
                INVALID_LINK_NAME.
        """
        limits = checked.motion_limits(self.profile, velocity_scaling, acceleration_scaling, tool_speed_m_s)
        if isinstance(goal, PoseGoal):
            name, target = checked.arm_link(self._model, goal.link), checked.unit_pose(goal.pose, "goal")
        deadline, rng = Deadline(timeout_s), np.random.default_rng(seed)
        start = self._start(start_rad)
        if isinstance(goal, PoseGoal):
            aims = self._search.pose_aims(target, name, start, max(1, attempts), rng, deadline)
        else:
            aims = self._search.joint_aims(goal.joints_rad)
        return self._search.path(start, aims, limits, max(1, attempts), rng, deadline)

    def cartesian(
        self,
        start_rad: ArrayLike,
        waypoints: Poses,
        *,
        link: str = "",
        max_step_m: float = 0.005,
        jump_threshold: float = 0.0,
        revolute_jump_rad: float = 0.0,
        avoid_collisions: bool = True,
        velocity_scaling: float | None = None,
        acceleration_scaling: float | None = None,
        tool_speed_m_s: float | None = None,
    ) -> StraightPath:
        """Move a link in straight lines through waypoints, as far as possible.

        Args:
            start_rad: Joints of the arm at rest, shape (7,), [rad].
            waypoints: Poses of the link in the base frame, the start not among them, batch of one or more.
            link: Tool frame, hand, flange or last link of the arm; empty for the tool frame.
            max_step_m: Largest step of the link between checked points, > 0, [m]; its rotation is at most 0.05 rad.
            jump_threshold: Ends the line at a step in joint space above this multiple of the mean one; 0: off.
            revolute_jump_rad: Ends the line where a joint steps farther than this, [rad]; 0: off. Steps of more than
                0.35 rad always end it: they are changes of the arm's configuration.
            avoid_collisions: End the line before a collision.
            velocity_scaling: As in :meth:`plan`.
            acceleration_scaling: As in :meth:`plan`.
            tool_speed_m_s: As in :meth:`plan`.

        Returns:
            The part that can be followed; a fraction below 1 is not an error here.

        Raises:
            PlanningError: START_STATE_IN_COLLISION, INVALID_ROBOT_STATE (start), INVALID_LINK_NAME,
                INVALID_GOAL_CONSTRAINTS (no waypoints, steps or scaling out of range).
        """
        limits = checked.motion_limits(self.profile, velocity_scaling, acceleration_scaling, tool_speed_m_s)
        name, targets = checked.arm_link(self._model, link), checked.unit_pose(waypoints, "waypoints")
        if not len(targets) or not max_step_m > 0 or jump_threshold < 0 or revolute_jump_rad < 0:
            raise checked.refused_goal(
                "expected at least one waypoint, max_step_m > 0 and jump thresholds >= 0, got "
                f"{len(targets)} waypoints, {max_step_m} m, {jump_threshold} and {revolute_jump_rad} rad"
            )
        start = self._start(start_rad, avoid_collisions=avoid_collisions)
        poses = line(self.forward(start, name), targets, max_step_m)
        world = self.scene.world if avoid_collisions else None
        jump = min(revolute_jump_rad or JUMP_RAD, JUMP_RAD)
        followed = cut_at_jump(follow(self._inverse, world, start, poses, name, jump), jump_threshold)
        path = self._timer.time(followed.joints_rad, limits)
        return StraightPath(fraction=followed.fraction, path=path, reason=followed.reason)

    def _start(self, start_rad: ArrayLike, *, avoid_collisions: bool = True) -> Array:
        start = checked.seven(start_rad, "start")
        reason = checked.outside(self._model, start)
        if reason is not None:
            raise PlanningError(MoveItErrorCode.INVALID_ROBOT_STATE, f"start outside the limits: {reason}")
        if avoid_collisions and not self.scene.world.free(start):
            pairs = touching(self.scene.world.contacts(start))
            raise PlanningError(MoveItErrorCode.START_STATE_IN_COLLISION, f"start: {pairs}; move the arm free first")
        return start
