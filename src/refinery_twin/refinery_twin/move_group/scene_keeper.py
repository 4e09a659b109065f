"""Keeps the planning scene: applies the messages of clients, and temporary changes for one request.

The parts of a message are applied one by one, as in MoveIt: a part that fails does not affect the others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
from moveit_msgs.msg import AttachedCollisionObject, CollisionObject, PlanningScene, RobotState

from refinery.rotations import Array, Poses
from refinery_ros.conversions import pose_from_message
from refinery_twin.move_group.allowed_collisions import AllowedCollisions, Pair
from refinery_twin.move_group.geometry import shapes_from
from refinery_twin.planning import AttachedObject, MoveItErrorCode, Planner, PlanningError, SceneObject


class SceneKeeper:
    """Keeps the scene of a planner; used by the planning thread only.

    Args:
        planner: Owner of the scene.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner, self._scene = planner, planner.scene
        self.allowed = AllowedCollisions()
        """Collisions that clients allow."""
        self._applied: set[Pair] = set()
        self.lasting = 0
        """Number of changes that outlast a request; any thread may read it."""

    def apply(self, message: PlanningScene, joints_rad: Array) -> list[PlanningError]:
        """Apply a message: as a difference, or as the complete scene.

        Args:
            message: As received.
            joints_rad: Joints of the arm, shape (7,), [rad].

        Returns:
            The errors of parts that failed.
        """
        problems = self._apply(message, joints_rad)
        self.lasting += 1
        return problems

    def _apply(self, message: PlanningScene, joints_rad: Array) -> list[PlanningError]:
        if not message.is_diff:
            self._scene.clear()
            self.allowed, self._applied = AllowedCollisions(), set()
        jobs: list[Callable[[], None]] = [partial(self._check_supported, message)]
        if message.allowed_collision_matrix.entry_names or message.allowed_collision_matrix.default_entry_names:
            jobs.append(partial(self._replace_allowed, message))
        # The robot first, as in MoveIt: an object it detaches can be removed from the world by the same message.
        jobs += [partial(self._attach, held, joints_rad) for held in message.robot_state.attached_collision_objects]
        jobs += [partial(self._change, thing, joints_rad) for thing in message.world.collision_objects]
        problems = _done(jobs)
        self._allow()
        return problems

    @contextmanager
    def changed(self, difference: PlanningScene, start: RobotState, joints_rad: Array) -> Iterator[None]:
        """Change the scene for the duration of one request.

        Args:
            difference: The changes; its ``is_diff`` is ignored, an empty message changes nothing.
            start: A start state with the attached objects; those only, if it is not a difference.
            joints_rad: Joints of the arm in it, shape (7,), [rad].

        Raises:
            PlanningError: The first part that failed.
        """
        before, allowed, applied = self._scene.snapshot(), self.allowed, self._applied
        try:
            if not _empty(difference):
                problems = self._apply(_as_difference(difference), joints_rad)
                if problems:
                    raise problems[0]
            self._hold_as(start, joints_rad)
            yield
        finally:
            self._scene.restore(before)
            self.allowed, self._applied = allowed, applied

    def _hold_as(self, start: RobotState, joints_rad: Array) -> None:
        if is_empty(start):
            return
        jobs: list[Callable[[], None]] = []
        if not start.is_diff:
            jobs += [partial(self._drop, name) for name in self._scene.attached]
        jobs += [partial(self._attach, held, joints_rad) for held in start.attached_collision_objects]
        if not jobs:
            return
        problems = _done(jobs)
        self._allow()
        if problems:
            raise problems[0]

    def _drop(self, name: str) -> None:
        self._scene.detach(name, np.zeros(7), keep=False)

    def _check_supported(self, message: PlanningScene) -> None:
        parts = {
            "world.octomap": len(message.world.octomap.octomap.data) > 0,
            "fixed_frame_transforms": bool(message.fixed_frame_transforms),
            "link_padding": bool(message.link_padding),
            "link_scale": bool(message.link_scale),
        }
        given = ", ".join(name for name, there in parts.items() if there)
        if given:
            raise PlanningError(
                MoveItErrorCode.FAILURE, f"planning scene: {given} cannot be changed here; leave it out"
            )

    def _replace_allowed(self, message: PlanningScene) -> None:
        self.allowed = AllowedCollisions.read(message.allowed_collision_matrix)

    def _allow(self) -> None:
        """Update the pairs that may touch, after a change of the objects."""
        wanted = self.allowed.pairs([*self._scene.links, *self._scene.objects, *self._scene.attached])
        for pair in self._applied - wanted:
            self._scene.allow(*pair, allowed=False)
        for pair in wanted - self._applied:
            self._scene.allow(*pair)
        self._applied = wanted

    def _change(self, message: CollisionObject, joints_rad: Array) -> None:
        """Apply the operation of one world object."""
        name, operation = message.id, message.operation
        if operation == CollisionObject.REMOVE:
            self._scene.remove(name)
        elif operation == CollisionObject.MOVE:
            self._scene.move(name, self._pose(message, joints_rad))
        elif operation == CollisionObject.APPEND and name in self._scene.objects:
            self._scene.add(_grown(self._scene.objects[name], message))
        else:
            self._scene.add(_object(message, self._pose(message, joints_rad)))

    def _attach(self, message: AttachedCollisionObject, joints_rad: Array) -> None:
        """Apply the operation of one attached object."""
        name, link, scene = message.object.id, message.link_name, self._scene
        operation, touch = message.object.operation, tuple(message.touch_links)
        if operation == CollisionObject.REMOVE:
            self._detach(name, link, joints_rad)
        elif operation == CollisionObject.MOVE:
            raise PlanningError(
                MoveItErrorCode.FAILURE, f"{name!r}: expected to add, append or remove a held object, got MOVE"
            )
        elif operation == CollisionObject.APPEND and name in scene.attached:
            held = scene.attached[name]
            scene.attach(dataclasses.replace(held, object=_grown(held.object, message.object)))
        elif not message.object.primitives and not message.object.meshes:
            scene.attach_from_world(name, link, touch, joints_rad)
        else:
            pose = self._pose_on(link, message.object, joints_rad)
            scene.attach(AttachedObject(link=link, object=_object(message.object, pose), touch_links=touch))

    def _detach(self, name: str, link: str, joints_rad: Array) -> None:
        if name:
            self._scene.detach(name, joints_rad)
            return
        for each in [name for name, held in self._scene.attached.items() if link in ("", held.link)]:
            self._scene.detach(each, joints_rad)

    def _pose(self, message: CollisionObject, joints_rad: Array) -> Poses:
        if not message.header.frame_id:
            raise PlanningError(
                MoveItErrorCode.FRAME_TRANSFORM_FAILURE, f"object {message.id!r}: expected a header.frame_id, got none"
            )
        return self._planner.in_base(message.header.frame_id, pose_from_message(message.pose), joints_rad)

    def _pose_on(self, link: str, message: CollisionObject, joints_rad: Array) -> Poses:
        """Pose of an object in the frame of the link that is to carry it."""
        carrier = self._planner.forward(joints_rad, link)
        return carrier.inverse() @ self._pose(message, joints_rad)


def is_empty(state: RobotState) -> bool:
    """Return whether a robot state is empty, which means the current state."""
    return (
        not state.joint_state.name
        and not state.attached_collision_objects
        and not state.multi_dof_joint_state.joint_names
    )


def _empty(message: PlanningScene) -> bool:
    """Return whether a difference changes nothing that is supported here."""
    parts = (
        message.world.collision_objects,
        message.world.octomap.octomap.data,
        message.robot_state.attached_collision_objects,
        message.allowed_collision_matrix.entry_names,
        message.allowed_collision_matrix.default_entry_names,
        message.fixed_frame_transforms,
        message.link_padding,
        message.link_scale,
    )
    return not any(len(part) for part in parts)


def _as_difference(message: PlanningScene) -> PlanningScene:
    return PlanningScene(
        is_diff=True,
        world=message.world,
        robot_state=message.robot_state,
        allowed_collision_matrix=message.allowed_collision_matrix,
        fixed_frame_transforms=message.fixed_frame_transforms,
        link_padding=message.link_padding,
        link_scale=message.link_scale,
    )


def _done(jobs: Iterable[Callable[[], None]]) -> list[PlanningError]:
    """Run all jobs and return the errors."""
    problems = []
    for job in jobs:
        try:
            job()
        except PlanningError as error:
            problems.append(error)
    return problems


def _object(message: CollisionObject, pose: Poses) -> SceneObject:
    shapes, poses = shapes_from(message)
    if not message.id or not shapes:
        raise PlanningError(
            MoveItErrorCode.INVALID_OBJECT_NAME,
            f"expected an object with an id and at least one solid, got {message.id!r}",
        )
    return SceneObject(name=message.id, shapes=shapes, shape_poses=poses, pose=pose)


def _grown(thing: SceneObject, message: CollisionObject) -> SceneObject:
    """Return an object with additional solids, whose poses are in its own frame."""
    shapes, poses = shapes_from(message)
    joined = Poses(
        pos_m=np.vstack([thing.shape_poses.pos_m, poses.pos_m]),
        quat_xyzw=np.vstack([thing.shape_poses.quat_xyzw, poses.quat_xyzw]),
    )
    return dataclasses.replace(thing, shapes=thing.shapes + shapes, shape_poses=joined)
