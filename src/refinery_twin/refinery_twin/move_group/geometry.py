"""Poses and solids of messages, as the planner takes them, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point, Pose
from moveit_msgs.msg import CollisionObject
from shape_msgs.msg import Mesh as MeshMessage
from shape_msgs.msg import MeshTriangle, SolidPrimitive

from refinery.errors import RefineryError
from refinery.rotations import Poses
from refinery_ros.conversions import pose_from_message, pose_message
from refinery_twin.planning import Box, Cylinder, Mesh, MoveItErrorCode, PlanningError, SceneObject, Shape, Sphere

HERE = Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
"""The pose that changes nothing."""


def shapes_from(message: CollisionObject) -> tuple[tuple[Shape, ...], Poses]:
    """Read the solids of an object and their poses in its frame; poses that are left out are no displacement.

    Raises:
        PlanningError: FAILURE: a plane, a cone, a prism, or sizes that are none.
    """
    name = message.id
    if message.planes:
        raise _unsupported(name, "boxes, cylinders, spheres or meshes", "a plane; use a box")
    try:
        shapes = [_solid(name, solid) for solid in message.primitives] + [_mesh(mesh) for mesh in message.meshes]
    except RefineryError as error:
        raise PlanningError(MoveItErrorCode.FAILURE, f"object {name!r}: {error}") from None
    poses = [
        *_padded(name, message.primitive_poses, len(message.primitives)),
        *_padded(name, message.mesh_poses, len(message.meshes)),
    ]
    if not poses:
        return (), HERE[:0]
    joined = Poses(
        pos_m=np.vstack([pose.pos_m for pose in poses]), quat_xyzw=np.vstack([pose.quat_xyzw for pose in poses])
    )
    return tuple(shapes), joined


def object_message(thing: SceneObject, frame: str, *, solids: bool = True) -> CollisionObject:
    """Write an object whose pose is in a frame; without its solids only its name and type."""
    message = CollisionObject(id=thing.name, operation=CollisionObject.ADD)
    message.header.frame_id = frame
    if not solids:
        return message
    message.pose = pose_message(thing.pose)
    for i, shape in enumerate(thing.shapes):
        pose = pose_message(thing.shape_poses[i])
        if isinstance(shape, Mesh):
            message.meshes.append(_mesh_message(shape))
            message.mesh_poses.append(pose)
        else:
            message.primitives.append(_solid_message(shape))
            message.primitive_poses.append(pose)
    return message


def _padded(name: str, poses: Sequence[Pose], count: int) -> list[Poses]:
    if len(poses) > count:
        raise _unsupported(name, f"at most {count} poses for {count} solids", f"{len(poses)}")
    return [pose_from_message(pose) for pose in poses] + [HERE] * (count - len(poses))


def _solid(name: str, solid: SolidPrimitive) -> Shape:
    wanted = {SolidPrimitive.BOX: 3, SolidPrimitive.SPHERE: 1, SolidPrimitive.CYLINDER: 2}
    if solid.type not in wanted:
        raise _unsupported(name, "a box (1), a sphere (2) or a cylinder (3)", f"a primitive of type {solid.type}")
    sizes = list(solid.dimensions)
    if len(sizes) != wanted[solid.type] or not np.isfinite(sizes).all():
        raise _unsupported(name, f"{wanted[solid.type]} finite dimensions", f"{sizes}")
    if solid.type == SolidPrimitive.BOX:
        return Box(size_m=(sizes[0], sizes[1], sizes[2]))
    if solid.type == SolidPrimitive.SPHERE:
        return Sphere(radius_m=sizes[SolidPrimitive.SPHERE_RADIUS])
    return Cylinder(radius_m=sizes[SolidPrimitive.CYLINDER_RADIUS], height_m=sizes[SolidPrimitive.CYLINDER_HEIGHT])


def _solid_message(shape: Box | Sphere | Cylinder) -> SolidPrimitive:
    if isinstance(shape, Box):
        return SolidPrimitive(type=SolidPrimitive.BOX, dimensions=list(shape.size_m))
    if isinstance(shape, Sphere):
        return SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[shape.radius_m])
    return SolidPrimitive(type=SolidPrimitive.CYLINDER, dimensions=[shape.height_m, shape.radius_m])


def _mesh(mesh: MeshMessage) -> Mesh:
    corners = np.array([[v.x, v.y, v.z] for v in mesh.vertices], dtype=np.float64).reshape(-1, 3)
    rows = np.array([list(t.vertex_indices) for t in mesh.triangles], dtype=np.int64).reshape(-1, 3)
    return Mesh(vertices_m=corners, triangles=rows)


def _mesh_message(shape: Mesh) -> MeshMessage:
    return MeshMessage(
        vertices=[Point(x=x, y=y, z=z) for x, y, z in shape.vertices_m.tolist()],
        triangles=[MeshTriangle(vertex_indices=np.array(row, dtype=np.uint32)) for row in shape.triangles],
    )


def _unsupported(name: str, expected: str, got: str) -> PlanningError:
    return PlanningError(MoveItErrorCode.FAILURE, f"object {name!r}: expected {expected}, got {got}")
