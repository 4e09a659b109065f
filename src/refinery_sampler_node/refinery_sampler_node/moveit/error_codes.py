"""What each of MoveIt's error codes means for a placement: outcome, whether to try the next sample, advice."""

from __future__ import annotations

from dataclasses import dataclass

from moveit_msgs.msg import MoveItErrorCodes

from refinery.errors import RefineryError
from refinery_msgs.msg import Outcome
from refinery_ros.moveit_error_code import MoveItErrorCode as Code

_REFUSED, _FAILED, _STOPPED = Outcome.REFUSED, Outcome.FAILED, Outcome.STOPPED
_CANCELLED, _TIMED_OUT = Outcome.CANCELLED, Outcome.TIMED_OUT


@dataclass(frozen=True, kw_only=True)
class CodeMeaning:
    """What an error code means for a placement."""

    outcome: int
    """Value of ``refinery_msgs/Outcome`` if the code ends the placement."""
    try_next: bool
    """Whether the next-ranked sample may succeed."""
    text: str
    """What happened, in a few words."""
    advice: str
    """What the user can do about it."""


class MoveItError(RefineryError):
    """MoveIt has refused or failed.

    Args:
        code: Value of ``moveit_msgs/MoveItErrorCodes``.
        what: What was requested, in a few words.
        detail: MoveIt's own explanation; may be empty.
    """

    def __init__(self, code: int, what: str, detail: str = "") -> None:
        self.code = code
        self.meaning = meaning_of(code)
        explanation = f" ({detail.strip().rstrip('.')})" if detail.strip() else ""
        self.short = f"{self.meaning.text}{explanation}"
        """What happened, without the advice."""
        super().__init__(f"{what}: {self.meaning.text}, {name_of(code)}{explanation}; {self.meaning.advice}")


def _row(outcome: int, try_next: bool, text: str, advice: str) -> CodeMeaning:
    return CodeMeaning(outcome=outcome, try_next=try_next, text=text, advice=advice)


_MOVE_ASIDE = "move the arm to where it has more room, or clear the surroundings of the socket"
_NEXT = "ask for another initial state, or move the socket nearer to the middle of the arm's reach"
_SETTINGS = "check the section moveit of the robot profile against move_group's own configuration"
_LOG = "see move_group's log"
_START = "move the arm free by hand (guiding mode) and check the planning scene against the cell"
_CONTROLLER = "is the trajectory controller active, and is the robot neither in reflex nor stopped by its user?"
_STATES = "are the joint states and the clock that move_group listens to still being published?"
_DEFECT = "this client sends none: client and move_group differ in version; see move_group's log"

MEANINGS: dict[int, CodeMeaning] = {
    Code.SUCCESS: _row(Outcome.SUCCESS, False, "done", "nothing is left to do"),
    Code.UNDEFINED: _row(_FAILED, False, "move_group reported no reason", _LOG),
    Code.FAILURE: _row(_FAILED, True, "failed without a specific code", _LOG),
    # Planning mostly depends on the goal, so another sample may succeed.
    Code.PLANNING_FAILED: _row(_REFUSED, True, "no path was found", _MOVE_ASIDE),
    Code.INVALID_MOTION_PLAN: _row(_REFUSED, True, "the path that was found is not valid", _MOVE_ASIDE),
    Code.MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE: _row(
        _STOPPED, False, "an obstacle moved into the path", "clear the path, then place again"
    ),
    Code.TIMED_OUT: _row(
        _TIMED_OUT, True, "no answer in the time given", "raise moveit.allowed_planning_time_s in the robot profile"
    ),
    Code.GOAL_IN_COLLISION: _row(_REFUSED, True, "the arm would touch something there", _NEXT),
    Code.NO_IK_SOLUTION: _row(_REFUSED, True, "the arm cannot take the pose without touching anything", _NEXT),
    Code.GOAL_STATE_INVALID: _row(_REFUSED, True, "the arm cannot be there", _NEXT),
    Code.GOAL_CONSTRAINTS_VIOLATED: _row(_REFUSED, True, "the path does not end at the goal", _NEXT),
    Code.GOAL_VIOLATES_PATH_CONSTRAINTS: _row(_REFUSED, True, "the goal breaks the path constraints", _DEFECT),
    # Execution.
    Code.CONTROL_FAILED: _row(_FAILED, False, "the controller did not follow", _CONTROLLER),
    Code.PREEMPTED: _row(
        _CANCELLED, False, "cancelled", "if you did not cancel it, which other client sends goals to move_group?"
    ),
    Code.ABORT: _row(_STOPPED, False, "move_group gave up", _LOG),
    Code.CRASH: _row(_STOPPED, False, "a part of move_group crashed", "restart move_group; " + _LOG),
    # The present state of the arm, which no other sample changes.
    Code.START_STATE_IN_COLLISION: _row(_REFUSED, False, "the arm touches something in its present state", _START),
    Code.START_STATE_INVALID: _row(_REFUSED, False, "the present state of the arm is not valid", _START),
    Code.START_STATE_VIOLATES_PATH_CONSTRAINTS: _row(
        _REFUSED, False, "the present state of the arm breaks the path constraints", _DEFECT
    ),
    # The request.
    Code.INVALID_GROUP_NAME: _row(_REFUSED, False, "move_group does not know the planning group", _SETTINGS),
    Code.INVALID_LINK_NAME: _row(_REFUSED, False, "move_group does not know the link", _SETTINGS),
    Code.INVALID_GOAL_CONSTRAINTS: _row(_REFUSED, False, "move_group cannot interpret the goal", _SETTINGS),
    Code.INVALID_ROBOT_STATE: _row(_REFUSED, False, "move_group cannot interpret the robot state", _SETTINGS),
    Code.INVALID_OBJECT_NAME: _row(_REFUSED, False, "move_group does not know the object", _SETTINGS),
    Code.UNRECOGNIZED_GOAL_TYPE: _row(_REFUSED, False, "move_group does not know this kind of goal", _DEFECT),
    # The system.
    Code.FRAME_TRANSFORM_FAILURE: _row(
        _REFUSED, False, "move_group cannot transform a frame", "is the base frame of the robot profile in /tf?"
    ),
    Code.COLLISION_CHECKING_UNAVAILABLE: _row(_REFUSED, False, "collisions cannot be checked", _LOG),
    Code.ROBOT_STATE_STALE: _row(_REFUSED, False, "move_group has no fresh joint states", _STATES),
    Code.SENSOR_INFO_STALE: _row(_REFUSED, False, "move_group has no fresh sensor data", _STATES),
    Code.UNABLE_TO_AQUIRE_SENSOR_DATA: _row(_REFUSED, False, "move_group got no sensor data", _STATES),
    Code.COMMUNICATION_FAILURE: _row(_FAILED, False, "move_group cannot reach what it needs", _LOG),
}
"""Every code of moveit_msgs 2.6.0."""

_UNKNOWN = _row(_FAILED, False, "a code that is not in moveit_msgs 2.6.0", _LOG)


def meaning_of(code: int) -> CodeMeaning:
    """Return the meaning of an error code; unknown ones (of a newer MoveIt) end the placement."""
    return MEANINGS.get(code, _UNKNOWN)


def name_of(code: int) -> str:
    """Return the name of an error code, or its number."""
    return Code(code).name if code in MEANINGS else f"code {code}"


def check_code(message: MoveItErrorCodes, what: str) -> None:
    """Raise unless the code is SUCCESS.

    Args:
        message: ``moveit_msgs/MoveItErrorCodes``.
        what: What was requested, in a few words.

    Raises:
        MoveItError: Any other code.
    """
    if message.val != Code.SUCCESS:
        raise MoveItError(int(message.val), what, message.message)
