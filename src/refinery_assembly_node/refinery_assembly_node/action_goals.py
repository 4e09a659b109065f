"""Goals of other nodes' actions: sent under an id that was written down, waited for, cancelled, found again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rclpy.task import Future
from unique_identifier_msgs.msg import UUID

from refinery_assembly_node.command import CommandStoppedError

_CANCEL_S = 30.0
"""A goal that was cancelled has to end within this, wall clock, [s]."""
_FORGOTTEN_S = 3.0
"""A server that is not there within this has forgotten its goals, wall clock, [s]."""


class ActionGoals:
    """Runs goals of one action, one at a time.

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
        self._kind, self._tick, self._cancelled, self._answer_s = kind, tick, cancelled, answer_s
        self._client = ActionClient(node, kind, name)
        self.name = node.resolve_topic_name(name)
        """Fully qualified name."""

    def destroy(self) -> None:
        """End the connections."""
        self._client.destroy()

    async def run(self, goal: Any, goal_id: uuid.UUID, *, cancellable: bool) -> Any:
        """Send a goal and wait for its result.

        Args:
            goal: The goal.
            goal_id: Its id.
            cancellable: Cancel it when the assembly is to end; otherwise it runs to its end.

        Raises:
            CommandStoppedError: No server, no answer, or a rejected goal.
        """
        await self._until(self._client.server_is_ready, self._answer_s)
        if not self._client.server_is_ready():
            raise CommandStoppedError(f"no action {self.name} within {self._answer_s:g} s", refused=True)
        sent: Future = self._client.send_goal_async(goal, goal_uuid=UUID(uuid=list(goal_id.bytes)))
        await self._until(sent.done, self._answer_s)
        if not sent.done():
            raise CommandStoppedError(f"{self.name}: no answer to a goal within {self._answer_s:g} s")
        handle = sent.result()
        if not handle.accepted:
            raise CommandStoppedError(f"{self.name}: the goal was rejected; the server's log says why", refused=True)
        return await self._result(handle, cancellable)

    async def recover(self, goal_id: uuid.UUID) -> Any:
        """Wait for the result of a goal that was sent by an earlier process; None if the server does not know it."""
        await self._until(self._client.server_is_ready, _FORGOTTEN_S)
        if not self._client.server_is_ready():
            return None
        answer = self._kind.Impl.SendGoalService.Response(accepted=True)
        handle = ClientGoalHandle(self._client, UUID(uuid=list(goal_id.bytes)), answer)
        response = await self._response(handle, cancellable=True)
        return None if response.status == GoalStatus.STATUS_UNKNOWN else response.result

    async def _result(self, handle: ClientGoalHandle, cancellable: bool) -> Any:
        return (await self._response(handle, cancellable)).result

    async def _response(self, handle: ClientGoalHandle, cancellable: bool) -> Any:
        future: Future = handle.get_result_async()
        end_s: float | None = None
        while not future.done():
            if cancellable and end_s is None and self._cancelled():
                handle.cancel_goal_async()
                end_s = time.monotonic() + _CANCEL_S
            if end_s is not None and time.monotonic() > end_s:
                raise CommandStoppedError(f"{self.name}: a cancelled goal did not end within {_CANCEL_S:g} s")
            if not self._client.server_is_ready():
                raise CommandStoppedError(f"{self.name}: its server is gone; what it did has to be found out")
            await self._tick()
        return future.result()

    async def _until(self, true: Callable[[], bool], timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while not true() and time.monotonic() < end_s:
            await self._tick()
