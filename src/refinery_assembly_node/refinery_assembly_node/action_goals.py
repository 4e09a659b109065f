"""Goals of other nodes' actions: sent under an id that was written down, waited for, cancelled, found again."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from action_msgs.msg import GoalStatus, GoalStatusArray
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rclpy.qos import qos_profile_action_status_default
from rclpy.task import Future
from unique_identifier_msgs.msg import UUID

from refinery.bringup.middleware import ASK_AGAIN_S
from refinery_assembly_node.command import CommandStoppedError
from refinery_ros.polled_subscription import PolledSubscription

_CANCEL_S = 30.0
"""A goal that was cancelled has to end within this, wall clock, [s]."""
_FORGOTTEN_S = 3.0
"""A server that is not there within this has forgotten its goals, wall clock, [s]."""


class ActionGoals:
    """Runs goals of one action, one at a time.

    Answers may be lost, and servers may be replaced, so a goal is followed by its id: the server's status tells whether
    it has the goal, and its result is asked for until it comes. A goal is sent again, with the same id, only to a
    server that has said that it does not know it: rclcpp's servers end their process when a goal they have comes twice.

    Args:
        node: Gets the client.
        kind: The action's type.
        name: The action's name.
        tick: Awaited while waiting.
        cancelled: Tells whether the goal in progress is to end.
        answer_s: Longest wait for the server and for its answer, wall clock, [s].
    """

    def __init__(
        self,
        node: Node,
        kind: Any,
        name: str,
        *,
        tick: Callable[[], Awaitable[None]],
        cancelled: Callable[[], bool],
        answer_s: float,
    ) -> None:
        self._node, self._kind, self._tick = node, kind, tick
        self._cancelled, self._answer_s = cancelled, answer_s
        self._client = ActionClient(node, kind, name)
        self.name = node.resolve_topic_name(name)
        """Fully qualified name."""
        status = qos_profile_action_status_default
        self._status = PolledSubscription(node, f"{self.name}/_action/status", GoalStatusArray, status, self.name)

    def destroy(self) -> None:
        """End the connections."""
        self._client.destroy()
        self._status.destroy()

    async def run(self, goal: Any, goal_id: uuid.UUID, *, cancellable: bool) -> Any:
        """Send a goal and wait for its result.

        Args:
            goal: The goal.
            goal_id: Its id.
            cancellable: Cancel it when the assembly is to end; otherwise it runs to its end.

        Raises:
            CommandStoppedError: No server, no answer, a rejected goal, or a server that has forgotten it.
        """
        await self._until(self._client.server_is_ready, self._answer_s)
        if not self._client.server_is_ready():
            raise CommandStoppedError(f"no action {self.name} within {self._answer_s:g} s", refused=True)
        await self._accepted(goal, goal_id)
        response = await self._response(goal_id, cancellable)
        if response.status == GoalStatus.STATUS_UNKNOWN:
            raise CommandStoppedError(f"{self.name}: its server was restarted; what it did has to be found out")
        return response.result

    async def recover(self, goal_id: uuid.UUID) -> Any:
        """Wait for the result of a goal that was sent by an earlier process; None if the server does not know it."""
        await self._until(self._client.server_is_ready, _FORGOTTEN_S)
        if not self._client.server_is_ready():
            return None
        response = await self._response(goal_id, cancellable=True)
        return None if response.status == GoalStatus.STATUS_UNKNOWN else response.result

    async def _accepted(self, goal: Any, goal_id: uuid.UUID) -> None:
        """Send a goal until the server has it."""
        answers = [self._send(goal, goal_id)]
        results: list[Future] = []
        ask_s, end_s = time.monotonic() + ASK_AGAIN_S, time.monotonic() + self._answer_s
        while time.monotonic() < end_s:
            if self._knows(goal_id) or any(answer.done() and answer.result().accepted for answer in answers):
                return
            if all(answer.done() for answer in answers):
                raise CommandStoppedError(
                    f"{self.name}: the goal was rejected; the server's log says why", refused=True
                )
            if results and results[-1].done():
                if results[-1].result().status != GoalStatus.STATUS_UNKNOWN:
                    return
                results.clear()
                answers.append(self._send(goal, goal_id))
            if time.monotonic() > ask_s:
                ask_s = time.monotonic() + ASK_AGAIN_S
                results.append(self._handle(goal_id).get_result_async())
            await self._tick()
        raise CommandStoppedError(f"{self.name}: no answer to a goal within {self._answer_s:g} s")

    async def _response(self, goal_id: uuid.UUID, cancellable: bool) -> Any:
        """Return the server's answer with the result, which has the status UNKNOWN if it does not know the goal."""
        handle = self._handle(goal_id)
        asked: list[Future] = []
        ask_s, end_s = 0.0, math.inf
        while not any(future.done() for future in asked):
            now_s = time.monotonic()
            if cancellable and end_s == math.inf and self._cancelled():
                ask_s, end_s = now_s, now_s + _CANCEL_S
            if now_s >= ask_s:
                ask_s = now_s + ASK_AGAIN_S
                asked.append(handle.get_result_async())
                if end_s < math.inf:
                    handle.cancel_goal_async()
            if now_s > end_s:
                raise CommandStoppedError(f"{self.name}: a cancelled goal did not end within {_CANCEL_S:g} s")
            if not self._client.server_is_ready():
                raise CommandStoppedError(f"{self.name}: its server is gone; what it did has to be found out")
            await self._tick()
        return next(future.result() for future in asked if future.done())

    def _send(self, goal: Any, goal_id: uuid.UUID) -> Future:
        return self._client.send_goal_async(goal, goal_uuid=_message(goal_id))

    def _knows(self, goal_id: uuid.UUID) -> bool:
        """Tell whether the server has published a status of a goal."""
        status = self._status.poll()
        return status is not None and any(
            bytes(each.goal_info.goal_id.uuid) == goal_id.bytes for each in status.status_list
        )

    def _handle(self, goal_id: uuid.UUID) -> ClientGoalHandle:
        """Return a handle of a goal whose acceptance was not heard."""
        answer = self._kind.Impl.SendGoalService.Response(accepted=True)
        return ClientGoalHandle(self._client, _message(goal_id), answer)

    async def _until(self, true: Callable[[], bool], timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while not true() and time.monotonic() < end_s:
            await self._tick()


def _message(goal_id: uuid.UUID) -> UUID:
    return UUID(uuid=list(goal_id.bytes))
