"""The planning scene of a placement: table, socket with its neighbours, and the held part."""

from __future__ import annotations

import numpy as np
from moveit_msgs.msg import AttachedCollisionObject, CollisionObject, PlanningScene

from refinery.initial_state import Array
from refinery.part import PartGeometry
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import SOCKET_BOTTOM_M, Task
from refinery_ros.collision_objects import add_box, add_piece, collision_object, removed

TABLE, SOCKET, PART = "refinery_table", "refinery_socket", "refinery_part"
"""Names of the objects."""
_TABLE_EDGE_M = 3.0
_TABLE_THICKNESS_M = 0.05


def scene_message(
    task: Task,
    part: PartGeometry,
    profile: RobotProfile,
    *,
    socket: Poses | None,
    grasp: Array,
    table_top_m: float,
    clearance_m: float = 0.0,
    empty_hand: bool = False,
) -> PlanningScene:
    """Describe the cell as a difference to the scene that MoveIt has; objects of these names are replaced.

    Args:
        task: Its plate and neighbours, and how the part is held.
        part: Shape of the held part.
        profile: Frames and the links that may touch the held part.
        socket: Socket estimate in the base frame, batch of one; None if there is none.
        grasp: How the part sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`.
        table_top_m: Height of the table's top in the base frame, [m].
        clearance_m: Socket and neighbours are enlarged by this on every side, [m].
        empty_hand: The hand holds nothing.

    Returns:
        The message, with ``is_diff``.
    """
    objects = [_table(profile.base_frame, table_top_m)]
    if socket is not None:
        objects.append(_socket(task, profile.base_frame, socket, table_top_m, clearance_m))
    held = held_part(task, part, profile, grasp)
    if empty_hand:
        return _without_part(held, objects)
    return _scene([held], objects)


def parting_scene(
    task: Task, part: PartGeometry, profile: RobotProfile, *, socket: Poses, table_top_m: float
) -> PlanningScene:
    """Describe the cell without socket and part, for the motion up: the two touch, or nearly, by intention.

    Arguments are those of :func:`scene_message`.
    """
    held = held_part(task, part, profile, np.zeros((1, 3)))
    block = _socket(task, profile.base_frame, socket, table_top_m, 0.0)
    # Only an object that exists can be removed.
    return _without_part(held, [_table(profile.base_frame, table_top_m), block, removed(SOCKET)])


def held_part(task: Task, part: PartGeometry, profile: RobotProfile, grasp: Array) -> AttachedCollisionObject:
    """Describe the part in the hand, held by a grasp (1, 3); the links of the hand may touch it."""
    held = collision_object(PART, profile.moveit.tip_link, task.plug.tool_from_plug_at(grasp))
    for piece in part.pieces:
        add_piece(held, piece)
    spec = profile.moveit
    return AttachedCollisionObject(
        link_name=spec.tip_link, object=held, touch_links=list(spec.touch_links), weight=task.plug.mass_kg
    )


def _table(frame: str, top_m: float) -> CollisionObject:
    middle = Poses.from_xyz_rpy([0.0, 0.0, top_m - _TABLE_THICKNESS_M / 2], [0.0, 0.0, 0.0])
    table = collision_object(TABLE, frame, middle)
    add_box(table, (0.0, 0.0, 0.0), (_TABLE_EDGE_M, _TABLE_EDGE_M, _TABLE_THICKNESS_M))
    return table


def _socket(task: Task, frame: str, socket: Poses, table_top_m: float, clearance_m: float) -> CollisionObject:
    """Return a block from the rim down to the table, without the hole, which no planned motion enters."""
    thing = collision_object(SOCKET, frame, socket)
    edge = 2 * (task.socket.plate_half_size_m + clearance_m)
    top = task.rim_height_m + clearance_m
    height = top + max(SOCKET_BOTTOM_M, float(socket.pos_m[0, 2]) - table_top_m)
    add_box(thing, (0.0, 0.0, top - height / 2), (edge, edge, height))
    for neighbour in task.socket.neighbours:
        add_box(thing, neighbour.centre_m, [2 * (half + clearance_m) for half in neighbour.half_size_m])
    return thing


def _scene(parts: list[AttachedCollisionObject], objects: list[CollisionObject]) -> PlanningScene:
    scene = PlanningScene(is_diff=True)
    scene.robot_state.is_diff = True
    scene.robot_state.attached_collision_objects = parts
    scene.world.collision_objects = objects
    return scene


def _without_part(held: AttachedCollisionObject, objects: list[CollisionObject]) -> PlanningScene:
    """Return a scene without the held part, which is added first, as only an object that exists can be removed."""
    # A detached object stays in the world.
    return _scene([held, _removed_part(held)], [*objects, removed(PART)])


def _removed_part(part: AttachedCollisionObject) -> AttachedCollisionObject:
    return AttachedCollisionObject(link_name=part.link_name, object=removed(PART))
