"""The client of the trials against nodes that are only just up; the real ones are in tests/end_to_end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import rclpy
from domain_coordinator import domain_id
from rclpy.action import ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

from refinery.errors import NotReadyError
from refinery_msgs.action import Place
from refinery_msgs.srv import SampleInit, TwinTrial, TwinTruth
from refinery_sim_train.demo import trial_client
from refinery_sim_train.demo.trial_client import TrialClient

Answer = Callable[[int, SampleInit.Response], bool]
"""Fills in the answer to question number so and so; False: it gets lost."""


class Cell:
    """Twin and sampler as far as :meth:`TrialClient.wait_until_ready` looks at them."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Answer = lambda number, response: True
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = node = rclpy.create_node("cell", context=self._context)
        node.create_service(TwinTrial, "/twin/trial", lambda request, response: response)
        node.create_service(TwinTruth, "/twin/truth", lambda request, response: response)
        # Reentrant: the question that is never answered does not keep the next one waiting.
        group = ReentrantCallbackGroup()
        node.create_service(SampleInit, "/sample_init", self._sample, callback_group=group)
        self._place = ActionServer(node, Place, "/place", lambda handle: Place.Result())
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    async def _sample(self, request: SampleInit.Request, response: SampleInit.Response) -> SampleInit.Response:
        self.asked += 1
        if not self.answer(self.asked, response):
            await Future()
        return response

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._executor.shutdown()
        self._place.destroy()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cell]:
    with domain_id() as number:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
        monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        monkeypatch.setattr(trial_client, "ASK_AGAIN_S", 0.5)
        cell = Cell()
        yield cell
        cell.close()


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


def test_it_says_what_it_heard_last(cell: Cell, client: TrialClient) -> None:
    def answer(number: int, response: SampleInit.Response) -> bool:
        response.message = "no message on /socket_pose"
        return number == 1

    cell.answer = answer
    with pytest.raises(NotReadyError, match="/sample_init is not ready .*; its last answer: no message on /socket_pose"):
        client.wait_until_ready(5.0, inserting=False)
    assert cell.asked > 2


def test_what_is_missing_is_named(cell: Cell, client: TrialClient) -> None:
    with pytest.raises(NotReadyError, match="waited in vain for action /insert; is the node running"):
        client.wait_until_ready(5.0)
