"""Fixtures of the policy node's tests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from refinery.bundle import Bundle, load_bundle
from refinery.task import Task, load_task
from refinery.testing import tiny_bundle, with_grasps

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def task() -> Task:
    """The shipped task with grasps that vary, so that every test meets them."""
    return with_grasps(load_task(REPOSITORY / "config" / "tasks" / "peg_rect.yaml"))


@pytest.fixture(scope="session")
def ros_domain() -> Iterator[int]:
    """A ROS domain of this session's own, for this process and its children."""
    with contextlib.ExitStack() as stack:
        try:
            from domain_coordinator import domain_id
        except ImportError:
            number = 1 + os.getpid() % 100
        else:
            number = int(stack.enter_context(domain_id()))
        old = os.environ.get("ROS_DOMAIN_ID")
        os.environ["ROS_DOMAIN_ID"] = str(number)
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        yield number
        os.environ.pop("ROS_DOMAIN_ID")
        if old is not None:
            os.environ["ROS_DOMAIN_ID"] = old


@pytest.fixture(scope="session")
def bundle_path(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose policy drives the plug straight home."""
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "servo", task)


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    return load_bundle(bundle_path)
