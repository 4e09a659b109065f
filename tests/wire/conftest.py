"""A ROS domain of these tests' own."""

from __future__ import annotations

import pytest
from domain_coordinator import domain_id


@pytest.fixture
def ros_domain(monkeypatch):
    """A ROS domain nobody else on this machine uses."""
    with domain_id() as number:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
        monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        yield number
