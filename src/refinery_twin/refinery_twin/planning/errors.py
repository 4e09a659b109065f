"""The error of a refused request, with one of MoveIt's codes."""

from __future__ import annotations

from refinery.errors import RefineryError
from refinery_ros.moveit_error_code import MoveItErrorCode


class PlanningError(RefineryError):
    """A request is refused.

    Args:
        code: The code that MoveIt would answer; a server puts it into ``error_code.val`` as it is.
        message: What was expected, what came and what to do.
    """

    def __init__(self, code: MoveItErrorCode, message: str) -> None:
        self.code = code
        super().__init__(message)
