"""Waiting for answers without blocking the executor: awaited ticks, and a goal that can be cancelled at any time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from rclpy.action import ActionClient
from rclpy.exceptions import InvalidHandle
from rclpy.task import Future

from refinery.errors import NotReadyError

Tick = Callable[[], Awaitable[None]]
"""Awaited between checks of a condition; raises to end the wait."""


class NoAnswerError(NotReadyError):
    """A server that is available does not answer."""


async def until(condition: Callable[[], bool], tick: Tick, *, timeout_s: float, missing: Callable[[], str]) -> None:
    """Wait until a condition holds.

    Args:
        condition: Checked after every tick.
        tick: Awaited between checks.
        timeout_s: Longest wait by the wall clock (the ROS clock may stop), [s].
        missing: Returns the message of the error.

    Raises:
        NoAnswerError: It did not hold in time.
    """
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise NoAnswerError(missing())
        await tick()


class RunningGoal:
    """One goal of an action, from sending it to its result.

    Args:
        client: Client of the action.
        goal: Message.
        name: Name of the action, for messages.
    """

    def __init__(self, client: ActionClient, goal: Any, name: str) -> None:
        self.name = name
        self._cancelled = False
        self._handle: Any = None
        self._result: Future | None = None
        self._sent: Future = client.send_goal_async(goal)
        self._sent.add_done_callback(self._on_answer)

    def _on_answer(self, sent: Future) -> None:
        self._handle = sent.result()
        if not self._handle.accepted:
            return
        # The client is destroyed if the node was cleaned up meanwhile.
        with suppress(InvalidHandle):
            self._result = self._handle.get_result_async()
            if self._cancelled:
                self._handle.cancel_goal_async()

    @property
    def answered(self) -> bool:
        """Whether the server has accepted or rejected the goal."""
        return self._handle is not None

    @property
    def accepted(self) -> bool:
        """Whether the server has accepted it."""
        return self._handle is not None and bool(self._handle.accepted)

    @property
    def done(self) -> bool:
        """Whether the goal has ended: its result has arrived, or it was rejected."""
        return self.answered and (self._result is None or bool(self._result.done()))

    def result(self) -> Any:
        """Return the result message; only once :attr:`done` and :attr:`accepted`."""
        assert self._result is not None
        return self._result.result().result

    def cancel(self) -> None:
        """Cancel the goal, now or as soon as the server has accepted it; further calls do nothing."""
        if not self._cancelled and not self.done and self.accepted:
            with suppress(InvalidHandle):
                self._handle.cancel_goal_async()
        self._cancelled = True
