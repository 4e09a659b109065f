"""Whose motion it is: one goal at a time moves the arm, and a new one takes the place of the old."""

from __future__ import annotations

from types import TracebackType

from rclpy.action.server import ServerGoalHandle

from refinery_twin.move_group.waiting import Waiter
from refinery_twin.planning import ErrorCode, PlanningError


class Turn:
    """A goal that moves the arm, or would like to; use it as a context to say when it is over.

    Args:
        handle: The goal.
    """

    def __init__(self, handle: ServerGoalHandle) -> None:
        self._handle = handle
        self.replaced = False
        """Another goal has come."""
        self.over = False
        """It moves nothing any more."""

    @property
    def problem(self) -> str:
        """Why it has to end; an empty string if it may go on."""
        if self._handle.is_cancel_requested:
            return "cancelled by the client"
        return "another goal has taken the place of this one" if self.replaced else ""

    def check(self) -> None:
        """Raise the PlanningError PREEMPTED if it has to end."""
        if self.problem:
            raise preempted(self.problem)

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over = True


class Turns:
    """Gives the arm to whoever asks last.

    Args:
        waiter: For waiting.
    """

    def __init__(self, waiter: Waiter) -> None:
        self._waiter = waiter
        self._last: Turn | None = None

    async def take(self, turn: Turn) -> None:
        """End the goal that has the arm, wait for that, and give the arm to this one.

        Raises:
            PlanningError: PREEMPTED: cancelled, or replaced itself in the meantime.
        """
        before, self._last = self._last, turn
        if before is not None and not before.over:
            before.replaced = True
            await self._waiter.until(lambda: before.over)
        turn.check()


def preempted(reason: str) -> PlanningError:
    """Return the end of a goal that somebody stopped."""
    return PlanningError(ErrorCode.PREEMPTED, reason)
