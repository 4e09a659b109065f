"""Arbitrates between goals: one at a time moves the arm, and a new one replaces the old."""

from __future__ import annotations

from types import TracebackType

from rclpy.action.server import ServerGoalHandle

from refinery_twin.move_group.waiting import Waiter
from refinery_twin.planning import MoveItErrorCode, PlanningError


class ArmGoal:
    """A goal that moves the arm or waits to; a context manager that marks its end.

    Args:
        handle: The goal.
    """

    def __init__(self, handle: ServerGoalHandle) -> None:
        self._handle = handle
        self.replaced = False
        """Whether another goal has replaced it."""
        self.over = False
        """Whether it has ended."""

    @property
    def problem(self) -> str | None:
        """Why it has to end; None if it may go on."""
        if self._handle.is_cancel_requested:
            return "cancelled by the client"
        return "another goal has replaced this one" if self.replaced else None

    def check(self) -> None:
        """Raise the PlanningError PREEMPTED if it has to end."""
        if self.problem is not None:
            raise preempted(self.problem)

    def __enter__(self) -> ArmGoal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over = True


class GoalArbiter:
    """Gives the arm to the newest goal.

    Args:
        waiter: For waiting.
    """

    def __init__(self, waiter: Waiter) -> None:
        self._waiter = waiter
        self._last: ArmGoal | None = None

    async def take(self, arm_goal: ArmGoal) -> None:
        """End the goal that has the arm, wait for its end, and give the arm to this one.

        Raises:
            PlanningError: PREEMPTED: it was cancelled or replaced meanwhile.
        """
        before, self._last = self._last, arm_goal
        if before is not None and not before.over:
            before.replaced = True
            await self._waiter.until(lambda: before.over)
        arm_goal.check()


def preempted(reason: str) -> PlanningError:
    """Return the error of a goal that was cancelled or replaced."""
    return PlanningError(MoveItErrorCode.PREEMPTED, reason)
