"""A planning scene compiled for the planning library: collision checks."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import roboplan.core as roboplan

from refinery.rotations import Array, Poses
from refinery_twin.planning.arm_links import mount
from refinery_twin.planning.arm_model import ArmModel, matrix_of
from refinery_twin.planning.hulls import write_stl
from refinery_twin.planning.objects import AttachedObject, Box, Cylinder, SceneObject, Shape, Sphere

Pair = tuple[str, str]
_WORLD = "universe"
_COLOUR = np.ones(4)


class CollisionWorld:
    """An immutable model of the arm among objects; a changed scene gets a new one.

    Args:
        model: The arm.
        objects: In the world.
        attached: In the hand.
        allowed: Pairs of names of links or objects that may touch, each sorted.
        fingers_m: Travel of each finger from the middle, [m].
    """

    def __init__(
        self,
        model: ArmModel,
        objects: Mapping[str, SceneObject],
        attached: Mapping[str, AttachedObject],
        allowed: frozenset[Pair],
        fingers_m: float,
    ) -> None:
        self._model, self._fingers_m = model, fingers_m
        self._objects, self._attached = objects, attached
        solid = [link.name for link in model.links.values() if link.mesh]
        self._parts = {name: [name] for name in solid}
        for thing in [*objects.values(), *(held.object for held in attached.values())]:
            self._parts[thing.name] = [f"{thing.name}/{i}" for i in range(len(thing.shapes))]
        ignored = allowed | self._never_checked()
        pairs = [pair for pair in combinations(sorted(self._parts), 2) if pair not in ignored]
        self._checked = [(a, b) for first, second in pairs for a in self._parts[first] for b in self._parts[second]]
        self.scene = self._compiled()
        """The library's scene, with the pairs to check."""
        self._unchecked(self.scene, ignored)

    def free(self, joints_rad: Array) -> bool:
        """Return whether joints (7,) [rad] are free of collisions."""
        return not self.scene.hasCollisions(self._model.full(joints_rad, self._fingers_m))

    def free_between(self, start_rad: Array, goal_rad: Array, step_rad: float) -> bool:
        """Return whether a straight line in joint space is free of collisions, checked in steps of this size [rad]."""
        start, goal = (self._model.full(q, self._fingers_m) for q in (start_rad, goal_rad))
        return not roboplan.hasCollisionsAlongPath(self.scene, start, goal, step_rad)

    def contacts(self, joints_rad: Array) -> tuple[Pair, ...]:
        """Return the pairs of links and objects that touch at joints (7,), [rad], sorted.

        The library only says whether there is a contact; halving the pairs that count finds them all.
        """
        q = self._model.full(joints_rad, self._fingers_m)
        probe = self._compiled()
        self._unchecked(probe, frozenset(combinations(sorted(self._parts), 2)))

        def touching(pairs: list[Pair]) -> list[Pair]:
            if not pairs:
                return []
            probe.setCollisions(pairs, True)
            hit = probe.hasCollisions(q)
            probe.setCollisions(pairs, False)
            if not hit or len(pairs) == 1:
                return pairs if hit else []
            half = len(pairs) // 2
            return touching(pairs[:half]) + touching(pairs[half:])

        owner = {part: name for name, parts in self._parts.items() for part in parts}
        return tuple(sorted({(owner[a], owner[b]) for a, b in touching(self._checked)}))

    def _never_checked(self) -> frozenset[Pair]:
        """Pairs that touch always or never: neighbouring links, world and world, what is held and what holds it."""
        pairs = [*self._model.neighbours, *combinations(self._objects, 2)]
        for name, held in self._attached.items():
            pairs += [(name, link) for link in (held.link, *held.touch_links)]
            carrier = self._carrier(held)
            pairs += [(name, other) for other, that in self._attached.items() if self._carrier(that) == carrier]
            # Fixed to the same moving link as what carries it: they cannot move against each other.
            pairs += [(name, link.name) for link in self._model.links.values() if link.carrier == carrier]
        return frozenset((min(pair), max(pair)) for pair in pairs if pair[0] != pair[1])

    def _carrier(self, held: AttachedObject) -> str:
        return self._model.links[held.link].carrier

    def _compiled(self) -> roboplan.Scene:
        scene = self._model.scene()
        scene.setJointPositions(self._model.full(np.array(self._model.profile.home_rad), self._fingers_m))
        for thing in self._objects.values():
            self._put(scene, thing, _WORLD, thing.pose)
        for held in self._attached.values():
            # The library takes poses in the frame of the moving link, whichever fixed frame is named.
            pose = self._model.links[held.link].pose @ held.object.pose
            self._put(scene, held.object, mount(self._carrier(held)), pose)
        return scene

    def _put(self, scene: roboplan.Scene, thing: SceneObject, frame: str, pose: Poses) -> None:
        for i, (name, shape) in enumerate(zip(self._parts[thing.name], thing.shapes, strict=True)):
            _add(scene, name, frame, shape, matrix_of(pose @ thing.shape_poses[i]))

    def _unchecked(self, scene: roboplan.Scene, ignored: frozenset[Pair]) -> None:
        parts = self._parts
        known = [pair for pair in ignored if pair[0] in parts and pair[1] in parts]
        scene.setCollisions([(a, b) for first, second in known for a in parts[first] for b in parts[second]], False)
        inside = [pair for pieces in parts.values() for pair in combinations(pieces, 2)]
        scene.setCollisions(inside, False)


def _add(scene: roboplan.Scene, name: str, frame: str, shape: Shape, matrix: Array) -> None:
    if isinstance(shape, Box):
        scene.addBoxGeometry(name, frame, roboplan.Box(*shape.size_m), matrix, _COLOUR)
    elif isinstance(shape, Cylinder):
        scene.addCylinderGeometry(name, frame, roboplan.Cylinder(shape.radius_m, shape.height_m), matrix, _COLOUR)
    elif isinstance(shape, Sphere):
        scene.addSphereGeometry(name, frame, roboplan.Sphere(shape.radius_m), matrix, _COLOUR)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "mesh.stl"
            write_stl(file, shape.vertices_m, shape.triangles)
            scene.addMeshGeometry(name, frame, roboplan.Mesh(file), matrix, _COLOUR)
