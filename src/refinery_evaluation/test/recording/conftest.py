"""A topic with a definition that nests others."""

from __future__ import annotations

import pytest
from recording.messages import KIND

from refinery_evaluation.recording.topic import BagTopic, Qos
from refinery_evaluation.recording.types import definition, type_hash


@pytest.fixture(scope="session")
def topic() -> BagTopic:
    qos = Qos(durability="transient_local", depth=3)
    return BagTopic(
        name="/refinery_policy/tick", type=KIND, definition=definition(KIND), type_hash=type_hash(KIND), qos=qos
    )
