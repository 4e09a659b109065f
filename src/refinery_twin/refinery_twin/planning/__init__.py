"""Planning for the arm of a robot profile, ROS-free: scene, inverse kinematics, motion planning, timing.

One :class:`Planner` per arm; everything is in SI units, quaternions are xyzw, poses are in the base frame of the
profile unless said otherwise, joints are in the profile's order. Refusals are :class:`PlanningError` with one of
MoveIt's codes and a sentence::

    planner = Planner(load_robot_profile("twin"))
    table = Poses.from_xyz_rpy((0.6, 0.0, -0.06), (0.0, 0.0, 0.0))
    planner.scene.add(SceneObject.single("table", Box(size_m=(1.0, 2.0, 0.1)), table))
    joints = planner.inverse(pose, seed_rad=profile.home_rad)
    path = planner.plan(start_rad, PoseGoal(pose=pose))
    line = planner.cartesian(path.positions_rad[-1], waypoints)

A planner and its scene are for one thread at a time.
"""

from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.objects import AttachedObject, Box, Cylinder, Mesh, SceneObject, Shape, Sphere
from refinery_twin.planning.planner import Planner
from refinery_twin.planning.requests import JointGoal, PoseGoal, StraightPath, TimedPath, Validity
from refinery_twin.planning.scene import PlanningScene

__all__ = [
    "AttachedObject",
    "Box",
    "Cylinder",
    "JointGoal",
    "Mesh",
    "MoveItErrorCode",
    "Planner",
    "PlanningError",
    "PlanningScene",
    "PoseGoal",
    "SceneObject",
    "Shape",
    "Sphere",
    "StraightPath",
    "TimedPath",
    "Validity",
]
