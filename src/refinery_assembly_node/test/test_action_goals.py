"""Goals of actions whose servers lose answers, reject, and forget."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from franka_msgs.action import Move
from rclpy.action import ActionClient, ActionServer, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from refinery_assembly_node import action_goals
from refinery_assembly_node.action_goals import ActionGoals
from refinery_assembly_node.command import CommandStoppedError
from refinery_ros.testing.graph import own_domain, spinning_node

pytestmark = pytest.mark.ros


class Jaws:
    """A server whose goals end when they are let, and the client's end of it."""

    def __init__(self, server: Node, client: Node) -> None:
        self.runs, self.may_end, self.reject = 0, Future(), False
        self.server = ActionServer(server, Move, "jaws", self._execute, goal_callback=self._judge)
        self.goals = ActionGoals(client, Move, "jaws", tick=_tick, cancelled=lambda: False, answer_s=20.0)

    def run(self, goal_id: uuid.UUID) -> Any:
        """Run a goal."""
        return asyncio.run(self.goals.run(Move.Goal(width=0.05), goal_id, cancellable=False))

    def forget(self) -> None:
        """Forget all goals, as a server does that was killed and started again."""
        self.server._goal_handles.clear()

    def _judge(self, _goal: Move.Goal) -> GoalResponse:
        return GoalResponse.REJECT if self.reject else GoalResponse.ACCEPT

    async def _execute(self, goal: ServerGoalHandle) -> Move.Result:
        self.runs += 1
        await self.may_end
        goal.succeed()
        return Move.Result(success=True)


async def _tick() -> None:
    await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[Node, Node]]:
    with own_domain(), spinning_node("gripper") as server, spinning_node("assembly") as client:
        yield server, client


@pytest.fixture
def jaws(nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch) -> Iterator[Jaws]:
    monkeypatch.setattr(action_goals, "ASK_AGAIN_S", 0.3)
    found = Jaws(*nodes)
    found.may_end.set_result(None)
    yield found
    found.goals.destroy()
    found.server.destroy()


def lose_first(monkeypatch: pytest.MonkeyPatch, name: str, *, sent: bool) -> None:
    """Lose the first answer to a method of the client, or the question itself."""
    ask, asked = getattr(ActionClient, name), []

    def losing(client: ActionClient, *arguments: Any, **options: Any) -> Future:
        asked.append(name)
        if len(asked) > 1:
            return ask(client, *arguments, **options)
        if sent:
            ask(client, *arguments, **options)
        return Future()

    monkeypatch.setattr(ActionClient, name, losing)


@pytest.mark.parametrize("sent", [True, False])
def test_a_goal_whose_answer_or_question_is_lost_runs_once(
    jaws: Jaws, monkeypatch: pytest.MonkeyPatch, sent: bool
) -> None:
    lose_first(monkeypatch, "send_goal_async", sent=sent)
    assert jaws.run(uuid.uuid4()).success
    assert jaws.runs == 1


def test_a_result_that_is_lost_is_asked_for_again(jaws: Jaws, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_first(monkeypatch, "_get_result_async", sent=True)
    assert jaws.run(uuid.uuid4()).success
    assert jaws.runs == 1


def test_a_rejected_goal_moves_nothing(jaws: Jaws) -> None:
    jaws.reject = True
    with pytest.raises(CommandStoppedError, match="rejected") as stopped:
        jaws.run(uuid.uuid4())
    assert stopped.value.refused and jaws.runs == 0


def test_a_server_that_was_restarted_ends_the_wait(jaws: Jaws) -> None:
    jaws.may_end = Future()

    async def restarted() -> None:
        running = asyncio.ensure_future(jaws.goals.run(Move.Goal(), uuid.uuid4(), cancellable=False))
        while not jaws.runs:
            await _tick()
        jaws.forget()
        with pytest.raises(CommandStoppedError, match="restarted"):
            await running

    asyncio.run(restarted())
    assert jaws.runs == 1


def test_a_goal_of_an_earlier_process_is_found_by_its_id(jaws: Jaws) -> None:
    goal_id = uuid.uuid4()
    jaws.run(goal_id)
    assert asyncio.run(jaws.goals.recover(goal_id)).success
    assert asyncio.run(jaws.goals.recover(uuid.uuid4())) is None
    assert jaws.runs == 1
