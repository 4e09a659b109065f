"""The order of the phases: what comes next, decided by the results so far and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from refinery.sequence.sequence import Sequence
from refinery.sequence.step import StepSpec
from refinery_assembly_node.phase import End, Ended, Phase, Position

_AFTER = {
    Phase.OPEN: Phase.REACH,
    Phase.REACH: Phase.GRASP,
    Phase.GRASP: Phase.LIFT,
    Phase.LIFT: Phase.PLACE,
    Phase.PLACE: Phase.INSERT,
    Phase.INSERT: Phase.VERIFY,
    Phase.VERIFY: Phase.RELEASE,
    Phase.BACK: Phase.RELEASE,
    Phase.RELEASE: Phase.RETREAT,
}
Results = Mapping[Position, Ended]
"""The results of all phases that have ended, by position."""
PER_STEP = len(_AFTER)
"""Phases of a step in which nothing goes wrong."""


def next_position(sequence: Sequence, results: Results) -> Position | None:
    """Return the phase that comes next.

    Args:
        sequence: The sequence.
        results: Of the phases that have ended.

    Returns:
        The position, or None: the run is over.
    """
    for index, step in enumerate(sequence.steps):
        position: Position | None = Position(step=index, attempt=1, phase=Phase.OPEN)
        while position is not None and position in results:
            position = _after(step, position, results[position])
        if position is not None:
            return position
        if given_up(sequence, results) == index:
            return None
    return None


def given_up(sequence: Sequence, results: Results) -> int | None:
    """Return the index of the step that the run has stopped at for good, or None."""
    for index, step in enumerate(sequence.steps):
        last = [position for position in results if position.step == index]
        if not last:
            return None
        position = max(last, key=lambda each: (each.attempt, _ORDER[each.phase]))
        over = _after(step, position, results[position]) is None
        if over and not _left_alone(results, position):
            return index
    return None


def _left_alone(results: Results, position: Position) -> bool:
    """Tell whether a step ended with the hand away from its part."""
    return position.phase is Phase.RETREAT and results[position].end is End.DONE


_ORDER = {phase: order for order, phase in enumerate(Phase)}


def _after(step: StepSpec, position: Position, ended: Ended) -> Position | None:
    """Return the position after a result, or None where the step is over."""

    def at(phase: Phase, attempt: int = position.attempt) -> Position:
        return Position(step=position.step, attempt=attempt, phase=phase)

    if ended.end is End.DONE:
        following = _AFTER.get(position.phase)
        return None if following is None else at(following)
    if position.phase is Phase.BACK:
        # Lost on the way back: the jaws are opened and the hand leaves all the same.
        return at(Phase.RELEASE)
    again = position.attempt < step.attempts
    if ended.end is End.LOST or position.phase is Phase.GRASP:
        # Picked once more, where it may have stayed in or fallen back into its tray.
        return at(Phase.OPEN, position.attempt + 1) if again else None
    if again:
        return at(Phase.PLACE, position.attempt + 1)
    return at(Phase.BACK) if step.on_failure.then == "skip" else None
