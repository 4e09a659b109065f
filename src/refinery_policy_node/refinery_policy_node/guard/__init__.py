"""The guard between policy and robot: checks what goes in, bounds what comes out, latches the reason for a stop."""

from refinery_policy_node.guard.bounds import TargetBounds
from refinery_policy_node.guard.envelope import EnvelopeCheck
from refinery_policy_node.guard.estimates import EstimateScreen
from refinery_policy_node.guard.guard import Guard
from refinery_policy_node.guard.reason import Level, Reason
from refinery_policy_node.guard.settings import GuardSettings
from refinery_policy_node.guard.verdict import Verdict

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
