"""The planning scene: objects in the world, attached objects, and allowed collisions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from refinery.rotations import Array, Poses
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning.arm_links import FINGER_TRAVEL_M
from refinery_twin.planning.arm_model import ArmModel
from refinery_twin.planning.collision_world import CollisionWorld
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.objects import AttachedObject, SceneObject


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """State of a scene, for :meth:`PlanningScene.restore`."""

    objects: Mapping[str, SceneObject]
    """Objects in the world, by name."""
    attached: Mapping[str, AttachedObject]
    """Attached objects, by name."""
    allowed: frozenset[tuple[str, str]]
    """Pairs that may touch."""
    fingers_m: float
    """Distance of each finger from the middle, [m]."""
    world: CollisionWorld
    """Collision model of this state, kept so that it need not be built again."""


class PlanningScene:
    """Objects around and in the hand of the arm; :attr:`Planner.scene` holds the only one of a planner.

    Args:
        model: The arm.
    """

    def __init__(self, model: ArmModel) -> None:
        self._model = model
        self._objects: dict[str, SceneObject] = {}
        self._attached: dict[str, AttachedObject] = {}
        self._allowed: set[tuple[str, str]] = set()
        self._fingers_m = FINGER_TRAVEL_M
        self._world: CollisionWorld | None = None

    @property
    def links(self) -> tuple[str, ...]:
        """Links of the robot that objects can be attached to, from the base to the fingers and the tool frame."""
        return tuple(self._model.links)

    @property
    def objects(self) -> Mapping[str, SceneObject]:
        """Objects in the world, by name."""
        return MappingProxyType(self._objects)

    @property
    def attached(self) -> Mapping[str, AttachedObject]:
        """Objects that move with a link, by name."""
        return MappingProxyType(self._attached)

    @property
    def fingers_m(self) -> float:
        """Distance of each finger from the middle, [m]."""
        return self._fingers_m

    @property
    def world(self) -> CollisionWorld:
        """Collision model of the present scene; rebuilt after a change."""
        if self._world is None:
            self._world = CollisionWorld(
                self._model, dict(self._objects), dict(self._attached), frozenset(self._allowed), self._fingers_m
            )
        return self._world

    def add(self, thing: SceneObject) -> None:
        """Put an object into the world, replacing one of the same name (MoveIt's ADD), also an attached one.

        A table that the arm stands on touches its base: leave a gap, or :meth:`allow` it.

        Raises:
            PlanningError: INVALID_OBJECT_NAME: it is a link's name.
        """
        self._check_name(thing.name)
        self._attached.pop(thing.name, None)
        self._objects[thing.name] = thing
        self._world = None

    def move(self, name: str, pose: Poses) -> None:
        """Move an object of the world (MoveIt's MOVE) to a pose in the base frame.

        Raises:
            PlanningError: INVALID_OBJECT_NAME: there is none in the world.
        """
        self._objects[name] = dataclasses.replace(self._known(name), pose=pose)
        self._world = None

    def remove(self, name: str) -> None:
        """Remove an object from the world (MoveIt's REMOVE); an empty name removes all.

        Raises:
            PlanningError: INVALID_OBJECT_NAME: there is none in the world.
        """
        for each in list(self._objects) if not name else [self._known(name).name]:
            del self._objects[each]
        self._world = None

    def attach(self, thing: AttachedObject) -> None:
        """Attach an object, replacing one of the same name in hand or world.

        Raises:
            PlanningError: INVALID_LINK_NAME or INVALID_OBJECT_NAME.
        """
        name = thing.object.name
        self._check_name(name)
        for link in (thing.link, *thing.touch_links):
            self._check_link(link)
        self._objects.pop(name, None)
        self._attached[name] = thing
        self._world = None

    def attach_from_world(self, name: str, link: str, touch_links: tuple[str, ...], joints_rad: Array) -> None:
        """Attach an object of the world at its present pose.

        Args:
            name: Name of the object.
            link: That carries it from now on.
            touch_links: Links that may touch it.
            joints_rad: Where the arm is, shape (7,), [rad].

        Raises:
            PlanningError: INVALID_LINK_NAME or INVALID_OBJECT_NAME.
        """
        thing = self._known(name)
        self._check_link(link)
        pose = self._model.pose_of(link, joints_rad, self._fingers_m).inverse() @ thing.pose
        self.attach(AttachedObject(link=link, object=dataclasses.replace(thing, pose=pose), touch_links=touch_links))

    def detach(self, name: str, joints_rad: Array, *, keep: bool = True) -> None:
        """Detach an object, which stays in the world at its present pose or is removed; an empty name detaches all.

        Args:
            name: Name of the object.
            joints_rad: Where the arm is, shape (7,), [rad].
            keep: Leave it in the world, as MoveIt does.

        Raises:
            PlanningError: INVALID_OBJECT_NAME: nothing of that name is attached.
        """
        if name and name not in self._attached:
            raise _no_object(name, "attached", self._attached)
        for each in [name] if name else list(self._attached):
            held = self._attached.pop(each)
            if keep:
                pose = self._model.pose_of(held.link, joints_rad, self._fingers_m) @ held.object.pose
                self._objects[each] = dataclasses.replace(held.object, pose=pose)
        self._world = None

    def clear(self) -> None:
        """Remove all objects and all allowed collisions."""
        self._objects, self._attached, self._allowed, self._world = {}, {}, set(), None

    def snapshot(self) -> Snapshot:
        """Return the present state, for :meth:`restore`."""
        return Snapshot(
            objects=dict(self._objects),
            attached=dict(self._attached),
            allowed=frozenset(self._allowed),
            fingers_m=self._fingers_m,
            world=self.world,
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Restore a state of this scene; the snapshot may be used again."""
        self._objects, self._attached = dict(snapshot.objects), dict(snapshot.attached)
        self._allowed, self._fingers_m, self._world = set(snapshot.allowed), snapshot.fingers_m, snapshot.world

    def allow(self, first: str, second: str, *, allowed: bool = True) -> None:
        """Allow (or no longer allow) two links or objects to touch.

        An entry may name an object that is not there yet. What the robot's description allows between its own links
        stays allowed.
        """
        pair = (min(first, second), max(first, second))
        if allowed:
            self._allowed.add(pair)
        else:
            self._allowed.discard(pair)
        self._world = None

    def open_fingers(self, travel_m: float) -> None:
        """Set the distance of each finger from the middle, [0, 0.04] m; initially 0.04 (open).

        Raises:
            PlanningError: INVALID_ROBOT_STATE: out of range.
        """
        if not -1e-4 <= travel_m <= FINGER_TRAVEL_M + 1e-4:
            raise PlanningError(
                MoveItErrorCode.INVALID_ROBOT_STATE, f"expected fingers at 0 to {FINGER_TRAVEL_M} m, got {travel_m} m"
            )
        travel_m = float(np.clip(travel_m, 0.0, FINGER_TRAVEL_M))
        if travel_m != self._fingers_m:
            self._fingers_m, self._world = travel_m, None

    def _known(self, name: str) -> SceneObject:
        if name not in self._objects:
            raise _no_object(name, "in the world", self._objects)
        return self._objects[name]

    def _check_name(self, name: str) -> None:
        if name in self._model.links:
            raise PlanningError(
                MoveItErrorCode.INVALID_OBJECT_NAME,
                f"expected an object's name, got {name!r}, which is a link of the robot",
            )

    def _check_link(self, link: str) -> None:
        if link not in self._model.links:
            raise PlanningError(
                MoveItErrorCode.INVALID_LINK_NAME, f"expected one of the links {', '.join(self.links)}, got {link!r}"
            )


def _no_object(name: str, where: str, there: Mapping[str, object]) -> PlanningError:
    names = ", ".join(sorted(there)) or "none"
    return PlanningError(
        MoveItErrorCode.INVALID_OBJECT_NAME, f"expected an object that is {where} ({names}), got {name!r}"
    )
