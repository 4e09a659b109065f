"""Solids of a task as the objects of a planning scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point
from geometry_msgs.msg import Pose as PoseMessage
from moveit_msgs.msg import CollisionObject
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation
from shape_msgs.msg import Mesh, MeshTriangle, SolidPrimitive

from refinery.piece import Piece
from refinery.rotations import Array, Poses
from refinery_ros.conversions import pose_message


def collision_object(name: str, frame: str, pose: Poses) -> CollisionObject:
    """Return an object without solids that replaces one of its name, by its pose in a frame, batch of one."""
    thing = CollisionObject(id=name, pose=pose_message(pose), operation=CollisionObject.ADD)
    thing.header.frame_id = frame
    return thing


def removed(name: str) -> CollisionObject:
    """Return the removal of an object; MoveIt refuses it where there is none."""
    return CollisionObject(id=name, operation=CollisionObject.REMOVE)


def box_message(size_m: ArrayLike) -> SolidPrimitive:
    """Return a box by its edge lengths along x, y, z, [m]."""
    return SolidPrimitive(type=SolidPrimitive.BOX, dimensions=np.asarray(size_m, dtype=np.float64).tolist())


def add_box(thing: CollisionObject, centre_m: Sequence[float], size_m: Sequence[float]) -> None:
    """Add an axis-aligned box, by its centre and edge lengths in the object's frame, [m]."""
    thing.primitives.append(box_message(size_m))
    thing.primitive_poses.append(pose_message(Poses.single(np.asarray(centre_m, float), [0.0, 0.0, 0.0, 1.0])))


def add_piece(thing: CollisionObject, piece: Piece) -> None:
    """Add a convex piece of a task's part, in the object's frame."""
    if piece.kind == "hull":
        thing.meshes.append(mesh_message(piece.corners_m))
        thing.mesh_poses.append(PoseMessage())
        return
    half = piece.half_size_m
    if piece.kind == "box":
        solid = box_message(2 * half)
    else:
        dimensions = [0.0, 0.0]
        dimensions[SolidPrimitive.CYLINDER_HEIGHT] = 2 * float(half[1])
        dimensions[SolidPrimitive.CYLINDER_RADIUS] = float(half[0])
        solid = SolidPrimitive(type=SolidPrimitive.CYLINDER, dimensions=dimensions)
    thing.primitives.append(solid)
    turn = Rotation.from_matrix(piece.axes).as_quat()
    thing.primitive_poses.append(pose_message(Poses.single(piece.centre_m, turn)))


def mesh_message(corners_m: Array) -> Mesh:
    """Return the convex hull of points (N, 3) [m], its triangles facing outwards."""
    hull = ConvexHull(corners_m)
    used = {int(old): new for new, old in enumerate(hull.vertices)}
    middle = corners_m[hull.vertices].mean(axis=0)
    triangles = []
    for row in hull.simplices:
        a, b, c = corners_m[row]
        outward = np.dot(np.cross(b - a, c - a), a - middle) > 0
        indices = row if outward else row[::-1]
        triangles.append(MeshTriangle(vertex_indices=[used[int(i)] for i in indices]))
    vertices = [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in corners_m[hull.vertices]]
    return Mesh(triangles=triangles, vertices=vertices)
