"""Why a trial failed, in groups that say who has to look at it, from outcome and guard codes."""

from __future__ import annotations

from enum import StrEnum

from refinery.tick.guard import Reason
from refinery_evaluation.report.data import TrialRecord

ON_THE_RIM_MM = 1.0
"""A part that ends less deep than this below the rim never entered its hole, [mm]."""


class Failure(StrEnum):
    """Groups of failures."""

    PLACEMENT = "not placed at its start"
    ON_THE_RIM = "ended on the rim"
    PART_WAY = "ended part way in"
    CONTACT = "stopped by contact"
    POLICY = "stopped over what the policy saw or did"
    SENSING = "stopped over a measurement"
    TIMING = "stopped over a deadline"
    OPERATOR = "ended by a person"
    CELL = "stopped over the cell itself"
    MISJUDGED = "reported as seated, but not"


ABOUT_START = frozenset({Failure.ON_THE_RIM, Failure.PART_WAY, Failure.CONTACT, Failure.POLICY, Failure.MISJUDGED})
"""Failures that say something about policy and initial state; the others would have come from anywhere."""

_OF_REASON = {
    Failure.CONTACT: (Reason.WRENCH_LIMIT, Reason.REFLEX, Reason.WRENCH_OFFSET),
    Failure.POLICY: (
        Reason.OBSERVATION_INVALID,
        Reason.ACTION_INVALID,
        Reason.OUT_OF_DISTRIBUTION,
        Reason.WORKSPACE,
        Reason.TARGET_STEP,
        Reason.TARGET_SPEED,
    ),
    Failure.SENSING: (
        Reason.STATE_STALE,
        Reason.STATE_LOST,
        Reason.STATE_TIME_INVALID,
        Reason.STATE_INVALID,
        Reason.SOCKET_ESTIMATE_LOST,
    ),
    Failure.TIMING: (Reason.DEADLINE_MISSED, Reason.CLOCK_STOPPED),
    Failure.OPERATOR: (Reason.USER_STOP, Reason.CANCELLED, Reason.REQUESTED, Reason.SHUTDOWN),
    Failure.CELL: (
        Reason.ROBOT_MODE,
        Reason.SECOND_PUBLISHER,
        Reason.TOPIC_MISSING,
        Reason.QOS_INCOMPATIBLE,
        Reason.DEACTIVATED,
        Reason.CONTROLLER_SWITCH_FAILED,
        Reason.DEFECT,
    ),
}
GROUP_OF = {reason.name.lower(): group for group, reasons in _OF_REASON.items() for reason in reasons}
"""Group of each guard reason, by the reason's name; :attr:`Reason.NONE` has none."""


def failure_of(trial: TrialRecord, success: bool) -> Failure | None:
    """Name the group of a failed trial.

    Args:
        trial: What the machine knows of it.
        success: The verdict that counts.

    Returns:
        None for a success.
    """
    if success:
        return None
    if trial.guard in GROUP_OF:
        return GROUP_OF[trial.guard]
    if not trial.placed:
        return Failure.PLACEMENT
    if trial.outcome == "success":
        return Failure.MISJUDGED
    if trial.outcome == "cancelled":
        return Failure.OPERATOR
    if trial.outcome == "refused":
        return Failure.CELL
    return Failure.PART_WAY if trial.depth_mm >= ON_THE_RIM_MM else Failure.ON_THE_RIM
