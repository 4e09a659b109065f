"""Results of actions: which insertion counts as tried, and which stop waits for a person."""

from __future__ import annotations

import pytest

from refinery_assembly_node.command import CommandStoppedError, Insert
from refinery_assembly_node.reports import report_of
from refinery_msgs.action import Insert as InsertAction
from refinery_msgs.msg import GuardReason, Outcome

INSERT = Insert(task="peg_rect")


def result(outcome: int, reason: int = GuardReason.NONE) -> InsertAction.Result:
    """Return a result of an insertion."""
    return InsertAction.Result(outcome=Outcome(value=outcome, message="so"), reason=GuardReason(value=reason))


@pytest.mark.parametrize(
    "ended",
    [
        result(Outcome.FAILED),
        result(Outcome.TIMED_OUT),
        result(Outcome.REFUSED, GuardReason.OUT_OF_DISTRIBUTION),
        result(Outcome.STOPPED, GuardReason.OUT_OF_DISTRIBUTION),
    ],
)
def test_an_insertion_that_was_tried_counts_as_an_attempt(ended: InsertAction.Result) -> None:
    assert not report_of(INSERT, ended, stopped=False).done


@pytest.mark.parametrize("reason", [GuardReason.SOCKET_ESTIMATE_LOST, GuardReason.WRENCH_LIMIT])
def test_every_other_stop_ends_the_run(reason: int) -> None:
    with pytest.raises(CommandStoppedError) as stopped:
        report_of(INSERT, result(Outcome.STOPPED, reason), stopped=False)
    assert not stopped.value.cancelled and not stopped.value.refused


def test_only_a_cancellation_that_was_asked_for_is_one() -> None:
    for asked in (True, False):
        with pytest.raises(CommandStoppedError) as stopped:
            report_of(INSERT, result(Outcome.CANCELLED), stopped=asked)
        assert stopped.value.cancelled == asked
