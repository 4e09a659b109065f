"""Every reason of the guard and every outcome has its group."""

from __future__ import annotations

import pytest
from trials.records import record

from refinery.tick.guard import Reason
from refinery_evaluation.trials.client import OUTCOMES
from refinery_evaluation.trials.design import PlannedTrial
from refinery_evaluation.trials.taxonomy import ABOUT_START, GROUP_OF, Failure, failure_of

TRIAL = PlannedTrial(number=0, block=0, code="A", seed=1)


def test_every_reason_has_one_group() -> None:
    assert set(GROUP_OF) == {reason.name.lower() for reason in Reason} - {"none"}


@pytest.mark.parametrize(
    ("changes", "group"),
    [
        ({"placed": False, "outcome": "timed_out"}, Failure.PLACEMENT),
        ({"depth_mm": 0.4}, Failure.ON_THE_RIM),
        ({"depth_mm": 12.0}, Failure.PART_WAY),
        ({"outcome": "timed_out", "depth_mm": 12.0}, Failure.PART_WAY),
        ({"outcome": "success"}, Failure.MISJUDGED),
        ({"outcome": "cancelled"}, Failure.OPERATOR),
        ({"outcome": "refused"}, Failure.CELL),
        ({"outcome": "stopped", "guard": "wrench_limit"}, Failure.CONTACT),
        ({"outcome": "stopped", "guard": "state_lost"}, Failure.SENSING),
    ],
)
def test_failures_by_outcome(changes: dict[str, object], group: Failure) -> None:
    assert set(OUTCOMES.values()) >= {str(changes.get("outcome", "failed"))}
    assert failure_of(record(TRIAL, False, **changes), success=False) is group
    assert failure_of(record(TRIAL, False, **changes), success=True) is None


def test_a_lost_measurement_says_nothing_about_the_start() -> None:
    assert Failure.SENSING not in ABOUT_START and Failure.CONTACT in ABOUT_START
