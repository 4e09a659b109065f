"""The person at the cell, who sees codes and no names, and needs a keyboard only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from refinery_evaluation.trials.design import PlannedTrial

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


class Operator(Protocol):
    """Whom a running evaluation asks."""

    def load(self, trial: PlannedTrial) -> None:
        """Return when the part is loaded and the cell is clear."""

    def confirm_stop(self, trial: PlannedTrial, reason: str) -> None:
        """Return when what stopped the arm has been seen to, so that it may be re-armed."""

    def verdict(self, trial: PlannedTrial) -> bool | None:
        """Return whether the part is seated; None if this operator does not judge."""


class NoOperator:
    """Nobody: the twin loads its parts itself, and its physics judge."""

    def load(self, trial: PlannedTrial) -> None:
        """Return at once."""

    def confirm_stop(self, trial: PlannedTrial, reason: str) -> None:
        """Return at once."""

    def verdict(self, trial: PlannedTrial) -> bool | None:
        """Return None."""
        return None


class KeyboardOperator:
    """A person at a terminal.

    Args:
        ask: Shows a question and returns the line that was typed.
    """

    def __init__(self, ask: Callable[[str], str] = input) -> None:
        self._ask = ask

    def load(self, trial: PlannedTrial) -> None:
        """See :class:`Operator`."""
        self._ask(f"trial {trial.number + 1}, {trial.code}: load the part, clear the cell, then Enter ")

    def confirm_stop(self, trial: PlannedTrial, reason: str) -> None:
        """See :class:`Operator`."""
        self._ask(f"trial {trial.number + 1}, {trial.code}: the guard stopped the arm ({reason}); free it, then Enter ")

    def verdict(self, trial: PlannedTrial) -> bool | None:
        """See :class:`Operator`; asks until the answer is one."""
        while True:
            answer = self._ask(f"trial {trial.number + 1}, {trial.code}: is the part seated? [y/n] ").strip().lower()
            if answer in _ANSWERS:
                return _ANSWERS[answer]
