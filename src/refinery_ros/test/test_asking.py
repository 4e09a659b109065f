"""A question whose answer was lost is asked again."""

from __future__ import annotations

import time

import pytest
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from std_srvs.srv import Trigger

from refinery_ros.testing import graph
from refinery_ros.testing.graph import asking, own_domain, spinning_node

pytestmark = pytest.mark.ros
PATIENCE_S = 60.0


def test_a_lost_answer_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_ASK_AGAIN_S", 0.3)
    asked = []

    async def serve(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        asked.append(response)
        if len(asked) < 3:
            await Future()
        response.message = "here"
        return response

    with own_domain(), spinning_node("server") as node:
        node.create_service(Trigger, "ask", serve, callback_group=ReentrantCallbackGroup())
        client = node.create_client(Trigger, "ask")
        assert client.wait_for_service(PATIENCE_S)
        answer, end_s = asking(client, Trigger.Request()), time.monotonic() + PATIENCE_S
        while answer() is None:
            assert time.monotonic() < end_s
            time.sleep(0.02)
        assert answer().message == "here" and len(asked) == 3
