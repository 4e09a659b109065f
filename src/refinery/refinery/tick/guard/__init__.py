"""The guard between policy and robot: checks what goes in, bounds what comes out, latches the reason for a stop."""

from refinery.tick.guard.bounds import TargetBounds
from refinery.tick.guard.decision import GuardDecision
from refinery.tick.guard.estimates import EstimateScreen
from refinery.tick.guard.guard import Guard
from refinery.tick.guard.out_of_distribution import OutOfDistributionDetector
from refinery.tick.guard.reason import Level, Reason
from refinery.tick.guard.settings import GuardSettings

__all__ = [
    "EstimateScreen",
    "Guard",
    "GuardDecision",
    "GuardSettings",
    "Level",
    "OutOfDistributionDetector",
    "Reason",
    "TargetBounds",
]
