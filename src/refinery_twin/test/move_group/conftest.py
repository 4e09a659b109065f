"""One planner for all tests of what move_group makes of messages; its scene is empty at the start of each."""

from __future__ import annotations

import numpy as np
import pytest

from refinery.robot_profile import load_robot_profile
from refinery_twin.move_group.scene_keeper import SceneKeeper
from refinery_twin.planning import Planner


@pytest.fixture(scope="session")
def shared_planner() -> Planner:
    return Planner(load_robot_profile("twin"))


@pytest.fixture
def planner(shared_planner: Planner) -> Planner:
    shared_planner.scene.clear()
    return shared_planner


@pytest.fixture
def keeper(planner: Planner) -> SceneKeeper:
    return SceneKeeper(planner)


@pytest.fixture
def home(planner: Planner) -> np.ndarray:
    return np.array(planner.profile.home_rad)
