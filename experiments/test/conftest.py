"""Fixtures of the experiments' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from refinery_ros.testing.graph import own_domain


@pytest.fixture(scope="session")
def ros_domain() -> Iterator[None]:
    """A ROS domain of this session's own, for this process and its children."""
    with own_domain():
        yield
