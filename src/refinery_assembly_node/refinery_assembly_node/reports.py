"""What the results of actions mean for the program: done, failed, or stopped."""

from __future__ import annotations

from typing import Any

from refinery_assembly_node.command import CloseJaws, Command, CommandStoppedError, Insert, OpenJaws, Report
from refinery_msgs.msg import GuardReason, Outcome

_TRIED = (Outcome.FAILED, Outcome.TIMED_OUT)
"""Outcomes of an insertion that ran to its end without success."""
_UNKNOWN_STATE = (Outcome.REFUSED, Outcome.STOPPED)
"""Outcomes of an insertion whose policy met what it does not know."""


def report_of(command: Command, result: Any, *, stopped: bool) -> Report:
    """Return how a command ended.

    Args:
        command: The command.
        result: Of its action.
        stopped: Whether the assembly is to end.

    Raises:
        CommandStoppedError: It did not run to its end.
    """
    if isinstance(command, CloseJaws):
        return Report(done=bool(result.success), message=result.error or "grasped")
    if isinstance(command, OpenJaws):
        if not result.success:
            raise CommandStoppedError(f"the jaws were not opened: {result.error}")
        return Report(done=True, message="opened")
    outcome, message = result.outcome.value, result.outcome.message
    if outcome == Outcome.SUCCESS:
        return Report(done=True, message=message)
    if isinstance(command, Insert):
        unknown = outcome in _UNKNOWN_STATE and result.reason.value == GuardReason.OUT_OF_DISTRIBUTION
        if outcome in _TRIED or unknown:
            return Report(done=False, message=message)
    raise CommandStoppedError(
        message, cancelled=outcome == Outcome.CANCELLED and stopped, refused=outcome == Outcome.REFUSED
    )
