"""What each of MoveIt's error codes means for a placement: the outcome, whether another sample may help, what to do."""

from __future__ import annotations

from dataclasses import dataclass

from moveit_msgs.msg import MoveItErrorCodes as Code

from refinery.errors import RefineryError
from refinery_msgs.msg import Outcome

SUCCESS = int(Code.SUCCESS)
"""The one code that is no error."""

_REFUSED, _FAILED, _STOPPED = Outcome.REFUSED, Outcome.FAILED, Outcome.STOPPED
_CANCELLED, _TIMED_OUT = Outcome.CANCELLED, Outcome.TIMED_OUT


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What follows from an error code."""

    outcome: int
    """Value of ``refinery_msgs/Outcome`` if it ends the placement."""
    another: bool
    """The next-ranked sample may do better."""
    meaning: str
    """What happened, in a few words."""
    advice: str
    """What a person can do about it."""


class MoveItError(RefineryError):
    """MoveIt said no.

    Args:
        code: Value of ``moveit_msgs/MoveItErrorCodes``.
        what: What was asked for, in a few words.
        detail: What MoveIt says about it; empty if it says nothing.
    """

    def __init__(self, code: int, what: str, detail: str = "") -> None:
        self.code = code
        self.verdict = verdict_of(code)
        said = f" ({detail.strip().rstrip('.')})" if detail.strip() else ""
        self.short = f"{self.verdict.meaning}{said}"
        """What happened, without what to do."""
        super().__init__(f"{what}: {self.verdict.meaning}, {name_of(code)}{said}; {self.verdict.advice}")


def _row(outcome: int, another: bool, meaning: str, advice: str) -> Verdict:
    return Verdict(outcome=outcome, another=another, meaning=meaning, advice=advice)


_MOVE_ASIDE = "move the arm to where it has more room, or take things away from around the socket"
_NEXT = "ask for another initial state, or move the socket nearer to the middle of the arm's reach"
_SETTINGS = "check the section moveit of the robot profile against move_group's own configuration"
_LOG = "see move_group's log"
_START = "move the arm free by hand (guiding mode) and check the planning scene against the cell"
_CONTROLLER = "is the trajectory controller active, and is the robot neither in reflex nor stopped by its user?"
_STATES = "are the joint states and the clock that move_group listens to still being published?"
_DEFECT = "this client sends none, so one of the two is of another version; see move_group's log"

VERDICTS: dict[int, Verdict] = {
    Code.SUCCESS: _row(Outcome.SUCCESS, False, "done", "nothing is left to do"),
    Code.UNDEFINED: _row(_FAILED, False, "move_group has not said what happened", _LOG),
    Code.FAILURE: _row(_FAILED, True, "failed for no reason that has a code", _LOG),
    # Planning: mostly a matter of where to, so another sample may do.
    Code.PLANNING_FAILED: _row(_REFUSED, True, "no way was found", _MOVE_ASIDE),
    Code.INVALID_MOTION_PLAN: _row(_REFUSED, True, "the way that was found is not valid", _MOVE_ASIDE),
    Code.MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE: _row(
        _STOPPED, False, "something moved into the way", "clear the way, then place again"
    ),
    Code.TIMED_OUT: _row(
        _TIMED_OUT, True, "no answer in the time given", "raise moveit.allowed_planning_time_s in the robot profile"
    ),
    Code.GOAL_IN_COLLISION: _row(_REFUSED, True, "the arm would touch something there", _NEXT),
    Code.NO_IK_SOLUTION: _row(_REFUSED, True, "the arm cannot take the pose without touching anything", _NEXT),
    Code.GOAL_STATE_INVALID: _row(_REFUSED, True, "the arm cannot be there", _NEXT),
    Code.GOAL_CONSTRAINTS_VIOLATED: _row(_REFUSED, True, "the way ends elsewhere", _NEXT),
    Code.GOAL_VIOLATES_PATH_CONSTRAINTS: _row(_REFUSED, True, "the goal breaks the path constraints", _DEFECT),
    # Execution.
    Code.CONTROL_FAILED: _row(_FAILED, False, "the controller did not follow", _CONTROLLER),
    Code.PREEMPTED: _row(_CANCELLED, False, "cancelled", "if it was not you, who else sends goals to move_group?"),
    Code.ABORT: _row(_STOPPED, False, "move_group gave up", _LOG),
    Code.CRASH: _row(_STOPPED, False, "a part of move_group crashed", "restart move_group; " + _LOG),
    # Where the arm is now: no sample changes that.
    Code.START_STATE_IN_COLLISION: _row(_REFUSED, False, "the arm touches something where it is", _START),
    Code.START_STATE_INVALID: _row(_REFUSED, False, "the arm is where it should not be", _START),
    Code.START_STATE_VIOLATES_PATH_CONSTRAINTS: _row(
        _REFUSED, False, "the arm breaks the path constraints where it is", _DEFECT
    ),
    # What was asked for.
    Code.INVALID_GROUP_NAME: _row(_REFUSED, False, "move_group does not know the planning group", _SETTINGS),
    Code.INVALID_LINK_NAME: _row(_REFUSED, False, "move_group does not know the link", _SETTINGS),
    Code.INVALID_GOAL_CONSTRAINTS: _row(_REFUSED, False, "the goal makes no sense to move_group", _SETTINGS),
    Code.INVALID_ROBOT_STATE: _row(_REFUSED, False, "the robot state makes no sense to move_group", _SETTINGS),
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
_NAMES = {
    value: name for name in dir(Code) if name.isupper() and isinstance(value := getattr(Code, name), int)
}  # fmt: skip


def verdict_of(code: int) -> Verdict:
    """Return what follows from an error code; unknown ones (of a newer MoveIt) end the placement."""
    return VERDICTS.get(code, _UNKNOWN)


def name_of(code: int) -> str:
    """Return the name of an error code, or its number."""
    return _NAMES.get(code, f"code {code}")


def check_code(message: Code, what: str) -> None:
    """Accept SUCCESS.

    Args:
        message: ``moveit_msgs/MoveItErrorCodes``.
        what: What was asked for, in a few words.

    Raises:
        MoveItError: Any other code.
    """
    if message.val != SUCCESS:
        raise MoveItError(int(message.val), what, message.message)
