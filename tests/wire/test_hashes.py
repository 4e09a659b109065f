"""What is re-declared in interfaces/ is, field by field, what the real packages of ROS 2 Jazzy put on the wire.

The hash of a type (RIHS01) covers the names, types and order of its fields and of all types it nests. A package that is
really installed is checked against the same hashes.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest
from ament_index_python import get_package_share_directory
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointComponentTolerance
from controller_manager_msgs.srv import SwitchController
from franka_msgs.msg import FrankaRobotState, GraspEpsilon
from moveit_msgs.msg import (
    CollisionObject,
    MoveItErrorCodes,
    OrientationConstraint,
    PlanningSceneComponents,
    VisibilityConstraint,
)
from rclpy.type_support import check_for_type_support

INTERFACES = Path(__file__).resolve().parents[2] / "interfaces"
DECLARED = sorted(
    f"{path.parents[1].name}/{path.parent.name}/{path.stem}"
    for kind in ("msg", "srv", "action")
    for path in INTERFACES.glob(f"*/{kind}/*.{kind}")
)
GOLDEN = json.loads(Path(__file__).with_name("rihs01_jazzy.json").read_text())["rihs01"]


def installed_hashes(name: str) -> dict[str, str]:
    """Return the hash of an installed type and of the types that belong to it, such as a service's request."""
    package, kind, short = name.split("/")
    file = Path(get_package_share_directory(package)) / kind / f"{short}.json"
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(file.read_text())["type_hashes"]}
    # The hash of a service or action covers its events, so these need none of their own.
    parts = {other for other in hashes if other.startswith(f"{name}_") and not other.endswith("_Event")}
    return {other: hashes[other] for other in {name, *parts}}


@pytest.mark.parametrize("name", DECLARED)
def test_a_type_has_the_hash_of_the_real_one(name):
    assert name in GOLDEN, f"{name} is declared, but rihs01_jazzy.json has no hash of the real one"
    assert installed_hashes(name) == {key: GOLDEN[key] for key in GOLDEN if key == name or key.startswith(f"{name}_")}


def test_every_hash_belongs_to_a_declared_type():
    assert set(GOLDEN) == {part for name in DECLARED for part in installed_hashes(name)}


@pytest.mark.parametrize("name", DECLARED)
def test_a_type_can_be_used_from_python(name):
    package, kind, short = name.split("/")
    check_for_type_support(getattr(import_module(f"{package}.{kind}"), short))


def test_all_that_is_declared_was_found():
    files = {path for path in INTERFACES.rglob("*") if path.suffix in (".msg", ".srv", ".action", ".idl")}
    assert len(files) == len(DECLARED) > 0


# Of moveit_msgs 2.6.0; -8, -9 and -20 are not in use.
MOVEIT_ERRORS = {
    "FAILURE": 99999,
    "SUCCESS": 1,
    "UNDEFINED": 0,
    "PLANNING_FAILED": -1,
    "INVALID_MOTION_PLAN": -2,
    "MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE": -3,
    "CONTROL_FAILED": -4,
    "UNABLE_TO_AQUIRE_SENSOR_DATA": -5,
    "TIMED_OUT": -6,
    "PREEMPTED": -7,
    "START_STATE_IN_COLLISION": -10,
    "START_STATE_VIOLATES_PATH_CONSTRAINTS": -11,
    "GOAL_IN_COLLISION": -12,
    "GOAL_VIOLATES_PATH_CONSTRAINTS": -13,
    "GOAL_CONSTRAINTS_VIOLATED": -14,
    "INVALID_GROUP_NAME": -15,
    "INVALID_GOAL_CONSTRAINTS": -16,
    "INVALID_ROBOT_STATE": -17,
    "INVALID_LINK_NAME": -18,
    "INVALID_OBJECT_NAME": -19,
    "FRAME_TRANSFORM_FAILURE": -21,
    "COLLISION_CHECKING_UNAVAILABLE": -22,
    "ROBOT_STATE_STALE": -23,
    "SENSOR_INFO_STALE": -24,
    "COMMUNICATION_FAILURE": -25,
    "START_STATE_INVALID": -26,
    "GOAL_STATE_INVALID": -27,
    "UNRECOGNIZED_GOAL_TYPE": -28,
    "CRASH": -29,
    "ABORT": -30,
    "NO_IK_SOLUTION": -31,
}
# No hash covers a constant or a default value.
CONSTANTS = [
    (SwitchController.Request, {"BEST_EFFORT": 1, "STRICT": 2, "AUTO": 3, "FORCE_AUTO": 4}),
    (
        FrankaRobotState,
        {
            "ROBOT_MODE_OTHER": 0,
            "ROBOT_MODE_IDLE": 1,
            "ROBOT_MODE_MOVE": 2,
            "ROBOT_MODE_GUIDING": 3,
            "ROBOT_MODE_REFLEX": 4,
            "ROBOT_MODE_USER_STOPPED": 5,
            "ROBOT_MODE_AUTOMATIC_ERROR_RECOVERY": 6,
        },
    ),
    (MoveItErrorCodes, MOVEIT_ERRORS),
    (CollisionObject, {"ADD": b"\0", "REMOVE": b"\1", "APPEND": b"\2", "MOVE": b"\3"}),
    (OrientationConstraint, {"XYZ_EULER_ANGLES": 0, "ROTATION_VECTOR": 1}),
    (VisibilityConstraint, {"SENSOR_Z": 0, "SENSOR_Y": 1, "SENSOR_X": 2}),
    (
        PlanningSceneComponents,
        {
            "SCENE_SETTINGS": 1,
            "ROBOT_STATE": 2,
            "ROBOT_STATE_ATTACHED_OBJECTS": 4,
            "WORLD_OBJECT_NAMES": 8,
            "WORLD_OBJECT_GEOMETRY": 16,
            "OCTOMAP": 32,
            "TRANSFORMS": 64,
            "ALLOWED_COLLISION_MATRIX": 128,
            "LINK_PADDING_AND_SCALING": 256,
            "OBJECT_COLORS": 512,
        },
    ),
    (JointComponentTolerance, {"X_AXIS": 1, "Y_AXIS": 2, "Z_AXIS": 3, "TRANSLATION": 4, "ROTATION": 5}),
    (
        FollowJointTrajectory.Result,
        {
            "SUCCESSFUL": 0,
            "INVALID_GOAL": -1,
            "INVALID_JOINTS": -2,
            "OLD_HEADER_TIMESTAMP": -3,
            "PATH_TOLERANCE_VIOLATED": -4,
            "GOAL_TOLERANCE_VIOLATED": -5,
        },
    ),
]


@pytest.mark.parametrize(("kind", "values"), CONSTANTS, ids=[kind.__name__ for kind, _ in CONSTANTS])
def test_constants_are_the_real_ones(kind, values):
    assert {name: getattr(kind, name) for name in values} == values


def test_defaults_are_the_real_ones():
    assert GraspEpsilon() == GraspEpsilon(inner=0.005, outer=0.005)
