"""Why the guard holds or stops; the numbers are those of refinery_msgs/GuardReason."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """What the guard lets through."""

    OK = 0
    """Targets of the policy, bounded."""
    HOLD = 1
    """The last measured pose, until the cause is gone."""
    STOP = 2
    """The measured pose at the moment of the stop, until somebody re-arms."""


class Reason(IntEnum):
    """Cause of a hold or a stop; what each means stands in refinery_msgs/msg/GuardReason.msg."""

    NONE = 0
    STATE_STALE = 1
    STATE_LOST = 2
    STATE_TIME_INVALID = 3
    STATE_INVALID = 4
    OBSERVATION_INVALID = 5
    ACTION_INVALID = 6
    WRENCH_LIMIT = 7
    ROBOT_MODE = 8
    REFLEX = 9
    USER_STOP = 10
    WORKSPACE = 11
    TARGET_STEP = 12
    TARGET_SPEED = 13
    OUT_OF_DISTRIBUTION = 14
    SECOND_PUBLISHER = 15
    TOPIC_MISSING = 16
    QOS_INCOMPATIBLE = 17
    DEADLINE_MISSED = 18
    CANCELLED = 19
    DEACTIVATED = 20
    SHUTDOWN = 21
    SOCKET_ESTIMATE_LOST = 22
    CONTROLLER_SWITCH_FAILED = 23
    REQUESTED = 24
    DEFECT = 25
    CLOCK_STOPPED = 26
    WRENCH_OFFSET = 27
