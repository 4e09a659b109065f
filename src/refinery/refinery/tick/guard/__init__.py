"""The guard between policy and robot: checks what goes in, bounds what comes out, latches the reason for a stop."""

from refinery.tick.guard.bounds import TargetBounds
from refinery.tick.guard.envelope import EnvelopeCheck
from refinery.tick.guard.estimates import EstimateScreen
from refinery.tick.guard.guard import Guard
from refinery.tick.guard.reason import Level, Reason
from refinery.tick.guard.settings import GuardSettings
from refinery.tick.guard.verdict import Verdict

__all__ = [
    "EnvelopeCheck",
    "EstimateScreen",
    "Guard",
    "GuardSettings",
    "Level",
    "Reason",
    "TargetBounds",
    "Verdict",
]
