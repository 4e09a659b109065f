"""The phases of a step and how they ended: what the journal writes down."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


class Phase(enum.Enum):
    """What is done for one part, in this order; ``BACK`` instead of what follows ``LIFT`` where a part is skipped."""

    OPEN = "open"
    """Open the jaws wide enough for the part."""
    REACH = "reach"
    """Go to the part in its tray, with an empty hand."""
    GRASP = "grasp"
    """Close the jaws on it."""
    LIFT = "lift"
    """Lift it out."""
    PLACE = "place"
    """Go to an initial state of the insertion."""
    INSERT = "insert"
    """Insert it."""
    VERIFY = "verify"
    """See by the arm's kinematics whether it is seated."""
    BACK = "back"
    """Take it back to its tray."""
    RELEASE = "release"
    """Open the jaws."""
    RETREAT = "retreat"
    """Go straight up."""


class End(enum.Enum):
    """How a phase ended."""

    DONE = "done"
    """As intended."""
    FAILED = "failed"
    """Done without success: the part is not there, or not in its seat."""
    LOST = "lost"
    """The hand is empty where it should hold the part."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """A place in the program of a sequence."""

    step: int
    """Index of the step."""
    attempt: int
    """Attempt at it, from 1."""
    phase: Phase
    """Phase of it."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The result of a phase."""

    end: End
    """How it ended."""
    message: str
    """One sentence for people."""
    data: dict[str, Any] = field(default_factory=dict)
    """Numbers that later phases need; JSON values."""
