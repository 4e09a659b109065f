"""What the guard decides, and the names of what it talks about."""

from __future__ import annotations

from dataclasses import dataclass

from refinery.tick.guard.reason import Level, Reason

WRENCH_AXES = ("force x", "force y", "force z", "torque x", "torque y", "torque z")
"""Components of a wrench, in order."""
WRENCH_UNITS = ("N", "N", "N", "Nm", "Nm", "Nm")
"""Their units."""


@dataclass(frozen=True, kw_only=True)
class GuardDecision:
    """What the guard lets through and why; made when something is wrong, not for every tick."""

    level: Level = Level.OK
    """What is let through."""
    reason: Reason = Reason.NONE
    """Why not everything is."""
    message: str = ""
    """The reason in one sentence, with numbers."""
