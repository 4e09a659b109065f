"""The client of the trials against nodes that are only just up; the real ones are in tests/end_to_end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import rclpy
from rclpy.action import ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from refinery.errors import NotReadyError
from refinery_evaluation.trials import client as trial_client
from refinery_evaluation.trials.client import TrialClient
from refinery_msgs.action import Place
from refinery_msgs.srv import SampleInit, TwinTrial, TwinTruth
from refinery_ros.testing.graph import own_domain, spinning_node

pytestmark = pytest.mark.ros
Answer = Callable[[int, SampleInit.Response], bool]
"""Fills in the answer to question number so and so; False: it gets lost."""


def succeed(number: int, response: SampleInit.Response) -> bool:
    response.success = True
    return True


class Cell:
    """Twin and sampler as far as :meth:`TrialClient.wait_until_ready` looks at them."""

    def __init__(self, node: Node) -> None:
        self.asked = 0
        self.answer: Answer = succeed
        node.create_service(TwinTrial, "/twin/trial", lambda request, response: response)
        node.create_service(TwinTruth, "/twin/truth", lambda request, response: response)
        # Reentrant: the question that is never answered does not keep the next one waiting.
        node.create_service(SampleInit, "/sample_init", self._sample, callback_group=ReentrantCallbackGroup())
        self._place = ActionServer(node, Place, "/place", lambda handle: Place.Result())

    async def _sample(self, request: SampleInit.Request, response: SampleInit.Response) -> SampleInit.Response:
        self.asked += 1
        if not self.answer(self.asked, response):
            await Future()
        return response


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cell]:
    monkeypatch.setattr(trial_client, "ASK_AGAIN_S", 0.5)
    with own_domain(), spinning_node("cell") as node:
        yield Cell(node)


@pytest.fixture
def client(cell: Cell) -> Iterator[TrialClient]:
    rclpy.init()
    yield TrialClient(rclpy.create_node("trials"), lambda: None)
    rclpy.shutdown()


def test_it_waits_through_lost_answers_and_refusals(cell: Cell, client: TrialClient) -> None:
    def answer(number: int, response: SampleInit.Response) -> bool:
        response.success, response.message = number == 4, "no message on /socket_pose"
        return number in (2, 4)

    cell.answer = answer
    client.wait_until_ready(60.0, inserting=False)
    assert cell.asked == 4


def test_a_lost_answer_is_asked_for_again_and_none_is_said(
    cell: Cell, client: TrialClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.wait_until_ready(60.0, inserting=False)
    before = cell.asked
    cell.answer = lambda number, response: number == before + 3
    assert client.task() == ""
    assert cell.asked == before + 3
    monkeypatch.setattr(trial_client, "ANSWER_S", 1.2)
    with pytest.raises(NotReadyError, match="waited in vain for an answer of sample_init; is the node running"):
        client.task()


def test_it_says_what_it_heard_last(cell: Cell, client: TrialClient) -> None:
    def answer(number: int, response: SampleInit.Response) -> bool:
        response.message = "no message on /socket_pose"
        return number == 1

    cell.answer = answer
    with pytest.raises(NotReadyError, match=r"/sample_init is not ready .*; .* no message on /socket_pose"):
        client.wait_until_ready(8.0, inserting=False)
    assert cell.asked > 2


def test_what_is_missing_is_named(cell: Cell, client: TrialClient) -> None:
    with pytest.raises(NotReadyError, match="waited in vain for action insert; is the node running"):
        client.wait_until_ready(5.0)
