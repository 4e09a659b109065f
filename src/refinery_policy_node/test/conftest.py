"""Fixtures of the policy node's tests."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_cell import Launch, launching

from refinery.bundle import Bundle, load_bundle
from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle, with_grasps
from refinery_ros.testing.graph import own_domain

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def task() -> Task:
    """The shipped task with grasps that vary, so that every test meets them."""
    return with_grasps(load_task(REPOSITORY / "config" / "tasks" / "peg_rect.yaml"))


@pytest.fixture(scope="session")
def ros_domain() -> Iterator[int]:
    """A ROS domain of this session's own, for this process and its children."""
    with own_domain():
        yield int(os.environ["ROS_DOMAIN_ID"])


@pytest.fixture(scope="session")
def bundle_path(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose policy drives the plug straight home."""
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "servo", task)


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    return load_bundle(bundle_path)


@pytest.fixture(scope="session")
def quick_task(task: Task) -> Task:
    """The same number of steps in a third of the time."""
    control = dataclasses.replace(task.control, policy_rate_hz=50.0, episode_s=1.5)
    limits = dataclasses.replace(task.limits, max_speed_m_s=1.0)
    return dataclasses.replace(task, control=control, limits=limits)


@pytest.fixture(scope="session")
def quick_bundle(quick_task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "quick", quick_task)


@pytest.fixture
def launch(quick_task: Task, quick_bundle: Path, tmp_path: Path, ros_domain: int) -> Iterator[Launch]:
    """Start a plant and a policy node; both are gone after the test."""
    with launching(quick_task, quick_bundle, tmp_path, ros_domain) as start:
        yield start
