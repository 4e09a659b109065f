"""Fixtures of the sampler's tests: the twin's arm, the committed task, and a small bundle around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sampler_harness import Cell

from refinery.bundle import Bundle, load_bundle
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle, with_grasps
from refinery_sampler_node.sampling.initial_state_chooser import InitialStateChooser
from refinery_sampler_node.sampling.reachability import Reachability

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def task() -> Task:
    """The shipped task with grasps that vary, so that every test meets them."""
    return with_grasps(load_task(ROOT / "config/tasks/peg_rect.yaml"))


@pytest.fixture(scope="session")
def profile() -> RobotProfile:
    return load_robot_profile("twin")


@pytest.fixture(scope="session")
def arm(profile: RobotProfile) -> ArmKinematics:
    return profile.arm_kinematics()


@pytest.fixture(scope="session")
def home_rad(profile: RobotProfile) -> np.ndarray:
    return np.array(profile.home_rad)


@pytest.fixture(scope="session")
def bundle(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny", task))


@pytest.fixture(scope="session")
def part(bundle: Bundle) -> PartGeometry:
    return bundle.part


@pytest.fixture(scope="session")
def reachability(task: Task, part: PartGeometry, arm: ArmKinematics, home_rad: np.ndarray) -> Reachability:
    return Reachability(task, part, arm, home_rad)


@pytest.fixture(scope="session")
def chooser(bundle: Bundle) -> InitialStateChooser:
    states = bundle.initial_states
    return InitialStateChooser(states.mixture, states.success_model, bundle.task.initial_state.deployed)


@pytest.fixture
def cell(running: Cell) -> Cell:
    """The cell of a module's fixture ``running``, at rest at home, with a fresh estimate."""
    running.robot.restore()
    running.client.feedback.clear()
    running.settle_estimates()
    return running
