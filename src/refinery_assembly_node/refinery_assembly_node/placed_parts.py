"""Parts that sit where they belong, as objects of MoveIt's planning scene."""

from __future__ import annotations

from collections.abc import Mapping

from moveit_msgs.msg import PlanningScene

from refinery.part import PartGeometry
from refinery.rotations import Poses
from refinery_ros.collision_objects import add_piece, collision_object, removed

_ELSEWHERE = Poses.from_xyz_rpy([0.0, 0.0, -100.0], [0.0, 0.0, 0.0])


def placed_name(part: str) -> str:
    """Return the name of a part's object."""
    return f"refinery_placed_{part}"


def placed_parts(shapes: Mapping[str, PartGeometry], placed: Mapping[str, Poses], frame: str) -> PlanningScene:
    """Describe which parts stand in the way, as a difference to the scene that MoveIt has.

    Args:
        shapes: Of all parts of the sequence, by part; those that are not placed are taken out of the scene.
        placed: Tip frames of the placed ones in ``frame``, by part, each a batch of one.
        frame: The arm's base frame.

    Returns:
        The message, with ``is_diff``; other objects stay.
    """
    scene = PlanningScene(is_diff=True)
    scene.robot_state.is_diff = True
    for part, shape in shapes.items():
        thing = collision_object(placed_name(part), frame, placed.get(part, _ELSEWHERE))
        for piece in shape.pieces:
            add_piece(thing, piece)
        scene.world.collision_objects.append(thing)
        if part not in placed:
            # Only an object that exists can be removed.
            scene.world.collision_objects.append(removed(thing.id))
    return scene
