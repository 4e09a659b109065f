"""The planning scene as a response, with the requested parts."""

from __future__ import annotations

from moveit_msgs.msg import AttachedCollisionObject, PlanningScene
from moveit_msgs.msg import PlanningSceneComponents as Parts

from refinery.rotations import Array
from refinery_twin.move_group.allowed_collisions import AllowedCollisions
from refinery_twin.move_group.geometry import object_message
from refinery_twin.move_group.replies import robot_state
from refinery_twin.planning import Planner

_ALL = 0xFFFFFFFF


def scene_message(planner: Planner, allowed: AllowedCollisions, joints_rad: Array, wanted: int) -> PlanningScene:
    """Write the scene, in the planning frame.

    Args:
        planner: Whose scene it is.
        allowed: Collisions that clients allow.
        joints_rad: Joints of the arm, shape (7,), [rad].
        wanted: Sum of the parts of ``moveit_msgs/PlanningSceneComponents``; 0 is all.
    """
    parts, scene, frame = wanted or _ALL, planner.scene, planner.profile.moveit.planning_frame
    message = PlanningScene(is_diff=False)
    if parts & Parts.SCENE_SETTINGS:
        message.name, message.robot_model_name = "refinery_twin", planner.profile.name
    if parts & (Parts.ROBOT_STATE | Parts.ROBOT_STATE_ATTACHED_OBJECTS):
        message.robot_state = robot_state(planner.joint_names, joints_rad, frame)
    if parts & Parts.ROBOT_STATE_ATTACHED_OBJECTS:
        message.robot_state.attached_collision_objects = [
            AttachedCollisionObject(
                link_name=held.link, object=object_message(held.object, held.link), touch_links=list(held.touch_links)
            )
            for held in scene.attached.values()
        ]
    if parts & (Parts.WORLD_OBJECT_NAMES | Parts.WORLD_OBJECT_GEOMETRY):
        solids = bool(parts & Parts.WORLD_OBJECT_GEOMETRY)
        message.world.collision_objects = [
            object_message(thing, frame, solids=solids) for thing in scene.objects.values()
        ]
    if parts & Parts.ALLOWED_COLLISION_MATRIX:
        message.allowed_collision_matrix = allowed.message()
    return message
