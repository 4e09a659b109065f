"""Every message of a re-declared type comes back from its serialised form as it was, whatever its fields hold."""

from __future__ import annotations

import itertools
from importlib import import_module
from pathlib import Path

import pytest
from rclpy.serialization import deserialize_message, serialize_message

from wire.filling import fill

INTERFACES = Path(__file__).resolve().parents[2] / "interfaces"
PARTS = {"msg": [], "srv": ["Request", "Response"], "action": ["Goal", "Result", "Feedback"]}
NAMES = sorted(
    f"{path.parents[1].name}.{kind}.{'.'.join([path.stem, *part])}"
    for kind, parts in PARTS.items()
    for path in INTERFACES.glob(f"*/{kind}/*.{kind}")
    for part in ([[part] for part in parts] or [[]])
)


def message_type(name):
    package, kind, *short = name.split(".")
    found = import_module(f"{package}.{kind}")
    for part in short:
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_message_comes_back(name):
    kind = message_type(name)
    message = fill(kind(), itertools.count(1))
    assert deserialize_message(serialize_message(message), kind) == message


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_message_comes_back(name):
    kind = message_type(name)
    assert deserialize_message(serialize_message(kind()), kind) == kind()


def test_a_filled_goal_is_filled_to_the_bottom():
    goal = fill(message_type("moveit_msgs.action.MoveGroup.Goal")(), itertools.count(1))
    triangle = goal.request.start_state.attached_collision_objects[1].object.meshes[1].triangles[1]
    assert triangle.vertex_indices.any()
    assert goal.request.goal_constraints[1].position_constraints[1].constraint_region.primitives[1].dimensions[1] > 0.0
