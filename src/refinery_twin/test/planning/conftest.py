"""One planner of the twin's arm for all tests of planning: its meshes take a second to read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from planning.cases import HAND, at

from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery_twin.planning import AttachedObject, Box, Planner, SceneObject


@pytest.fixture(scope="session")
def profile() -> RobotProfile:
    return load_robot_profile("twin")


@pytest.fixture(scope="session")
def one_planner(profile: RobotProfile) -> Planner:
    return Planner(profile)


@pytest.fixture
def planner(one_planner: Planner) -> Iterator[Planner]:
    """The planner with nothing around and the hand open."""
    one_planner.scene.clear()
    one_planner.scene.open_fingers(0.04)
    yield one_planner


@pytest.fixture
def cell(planner: Planner) -> Planner:
    """A table, the plate of a socket, a wall beside it, and a part in the hand."""
    scene = planner.scene
    scene.add(SceneObject.single("table", Box(size_m=(1.2, 1.6, 0.1)), at(0.6, 0.0, -0.06)))
    scene.add(SceneObject.single("plate", Box(size_m=(0.12, 0.12, 0.05)), at(0.5, 0.0, 0.015)))
    scene.add(SceneObject.single("wall", Box(size_m=(0.3, 0.02, 0.3)), at(0.5, 0.25, 0.14)))
    scene.allow("table", "panda_link0")
    scene.open_fingers(0.01)
    part = SceneObject.single("part", Box(size_m=(0.02, 0.02, 0.06)), at(0.0, 0.0, 0.02))
    scene.attach(AttachedObject(link="panda_hand_tcp", object=part, touch_links=HAND))
    return planner
