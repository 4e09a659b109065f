"""The order of a trial's steps, with a client that only takes notes; the real nodes are in tests/end_to_end."""

from __future__ import annotations

from typing import Any

import pytest

from refinery.errors import NotReadyError
from refinery_evaluation.trials.run import one_trial
from refinery_msgs.action import Insert, Place
from refinery_msgs.msg import Outcome
from refinery_msgs.srv import SampleInit, TwinTruth

POSE = [0.0, 0.0, 0.035, 0.0, 0.0, 0.1]
ONE, OTHER, INTENDED = [0.001, 0.002, 0.1], [0.0, -0.001, 0.0], [0.0, 0.0, 0.0]


class Notes:
    """Answers as the nodes would and keeps what was asked.

    Args:
        sampled: Grasp of the state that /sample_init knows; None: it refuses.
        placed: Grasps of the states of one placement after the other, the last for ever; None: it refuses.
    """

    def __init__(self, sampled: list[float] | None, placed: list[list[float] | None]) -> None:
        self._sampled, self._placed = sampled, placed
        self.asked: list[tuple[str, list[float]]] = []

    def new_cell(self, seed: int, grasp: Any = ()) -> str:
        self.asked.append(("cell", list(grasp)))
        return "estimate"

    def sample(self, mode: str, seed: int, socket: str) -> SampleInit.Response:
        assert socket == "estimate"
        theta = [] if self._sampled is None else POSE + self._sampled
        return SampleInit.Response(success=self._sampled is not None, theta=theta)

    def place(self, mode: str, seed: int) -> Place.Result:
        self.asked.append(("place", []))
        grasp = self._placed.pop(0) if len(self._placed) > 1 else self._placed[0]
        value = Outcome.REFUSED if grasp is None else Outcome.SUCCESS
        return Place.Result(outcome=Outcome(value=value), theta=[] if grasp is None else POSE + grasp)

    def insert(self, trial_id: int, grasp: Any = ()) -> Insert.Result:
        self.asked.append(("insert", list(grasp)))
        return Insert.Result(outcome=Outcome(value=Outcome.SUCCESS))

    def truth(self) -> TwinTruth.Response:
        return TwinTruth.Response(strict_success=True)


@pytest.mark.parametrize(
    ("sampled", "placed", "asked"),
    [
        (INTENDED, [INTENDED], [("cell", []), ("place", []), ("insert", INTENDED)]),
        (ONE, [ONE], [("cell", []), ("cell", ONE), ("place", []), ("insert", ONE)]),
        # More estimates, another start: the part is taken up once more.
        (
            ONE,
            [OTHER, OTHER],
            [("cell", []), ("cell", ONE), ("place", []), ("cell", OTHER), ("place", []), ("insert", OTHER)],
        ),
        (
            ONE,
            [INTENDED, INTENDED],
            [("cell", []), ("cell", ONE), ("place", []), ("cell", INTENDED), ("place", []), ("insert", INTENDED)],
        ),
        (None, [ONE, ONE], [("cell", []), ("place", []), ("cell", ONE), ("place", []), ("insert", ONE)]),
        (None, [None], [("cell", []), ("place", [])]),
    ],
)
def test_the_part_is_held_as_the_start_needs_it(sampled: Any, placed: Any, asked: list[Any]) -> None:
    notes = Notes(sampled, list(placed))
    record = one_trial(notes, 0, "sampled", "best", 7)  # type: ignore[arg-type]
    assert notes.asked == asked
    inserted = asked[-1][0] == "insert"
    assert record.placed == record.strict == inserted
    assert len(record.theta) == 9
    if inserted:
        assert list(record.theta[6:]) == asked[-1][1]


def test_a_start_that_changes_every_time_is_an_error() -> None:
    with pytest.raises(NotReadyError, match="wants another grasp"):
        one_trial(Notes(INTENDED, [ONE, OTHER] * 5), 0, "sampled", "best", 7)  # type: ignore[arg-type]
