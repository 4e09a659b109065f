"""Fixtures of the twin's tests: the committed task, the arm's home, and a plant per test module that needs one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinery.task import Task, load_task
from refinery_twin.plant import Plant
from refinery_twin.trajectory import JointLimits

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def task() -> Task:
    return load_task(ROOT / "config/tasks/peg_rect.yaml")


@pytest.fixture(scope="session")
def home_rad() -> np.ndarray:
    return np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])


@pytest.fixture(scope="session")
def above_socket_rad() -> np.ndarray:
    """Joints that hold the plug upright 65 mm over the seat of the nominal socket."""
    return np.array([0.0, 0.0401168525, 0.0, -2.37433427, 0.0, 2.41445113, np.pi / 4])


@pytest.fixture(scope="module")
def shared_plant(task: Task, home_rad: np.ndarray) -> Plant:
    return Plant(task, home_rad)


@pytest.fixture
def plant(shared_plant: Plant) -> Plant:
    """The module's plant, home again."""
    shared_plant.reset()
    return shared_plant


@pytest.fixture(scope="session")
def limits(task: Task, home_rad: np.ndarray) -> JointLimits:
    return Plant(task, home_rad).joint_limits(np.full(7, 2.0))
