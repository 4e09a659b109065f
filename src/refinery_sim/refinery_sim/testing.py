"""Fixtures of the physics' and the twin's tests: the committed task, the arm's home, and a plant per test module."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import yaml

from refinery.config import to_mapping
from refinery.paths import config_file
from refinery.rotations import Array
from refinery.storage import write_whole
from refinery.task import Task, load_task
from refinery.testing.bundles import with_grasps
from refinery_sim.plant import Plant
from refinery_sim.trajectory import JointLimits


@pytest.fixture(scope="session")
def task() -> Task:
    """The shipped task with grasps and friction that vary."""
    task = with_grasps(load_task(config_file("tasks", "peg_rect")))
    return dataclasses.replace(task, socket=dataclasses.replace(task.socket, friction_range=0.2))


@pytest.fixture(scope="session")
def task_file(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of that task."""
    path = tmp_path_factory.mktemp("tasks") / "peg_rect.yaml"
    write_whole(path, yaml.safe_dump(to_mapping(task)))
    return path


@pytest.fixture(scope="session")
def home_rad() -> Array:
    """Joints of the arm at home, shape (7,), [rad]."""
    return np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])


@pytest.fixture(scope="session")
def above_socket_rad() -> Array:
    """Joints that hold the plug upright 65 mm over the seat of the nominal socket."""
    return np.array([0.0, 0.0401168525, 0.0, -2.37433427, 0.0, 2.41445113, np.pi / 4])


@pytest.fixture(scope="module")
def shared_plant(task: Task, home_rad: Array) -> Plant:
    """One plant for the tests of a module."""
    return Plant(task, home_rad)


@pytest.fixture
def plant(shared_plant: Plant) -> Plant:
    """The module's plant, home again, the plug held as intended, the friction the task's."""
    shared_plant.reset(grasp=np.zeros((1, 3)), friction=shared_plant.task.socket.friction)
    return shared_plant


@pytest.fixture(scope="session")
def limits(task: Task, home_rad: Array) -> JointLimits:
    """Limits of the arm's joints at 2 rad/s."""
    return Plant(task, home_rad).joint_limits(np.full(7, 2.0))
