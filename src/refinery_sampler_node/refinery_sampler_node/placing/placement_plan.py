"""The plan of a placement: motions that MoveIt can execute, and the targets that were rejected before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moveit_msgs.msg import PlanningScene

from refinery.rotations import Poses
from refinery_sampler_node.moveit.trajectory import Motion
from refinery_sampler_node.placing.targets import Target


@dataclass(frozen=True, kw_only=True)
class RejectedTarget:
    """An initial state for which MoveIt has found no plan."""

    rank: int
    """Its rank among the samples, from 1."""
    target: Target
    """The initial state."""
    reason: str
    """Why there is no plan, in a few words."""


@dataclass(frozen=True, kw_only=True)
class PlanSegment:
    """A part of the plan, from rest to rest."""

    motion: Motion
    """The motion to execute."""
    scene: PlanningScene
    """Planning scene in which it was planned."""


@dataclass(frozen=True, kw_only=True)
class PlacementPlan:
    """Motions of the arm to an initial state."""

    segments: tuple[PlanSegment, ...]
    """To be executed one after the other: up, unless the arm is clear of the socket, then across and down."""
    target: Target
    """The initial state it leads to."""
    standoff: Poses
    """Tool pose at the stand-off, base frame, batch of one."""
    rejected: tuple[RejectedTarget, ...]
    """Targets that were tried before."""

    @property
    def duration_s(self) -> float:
        """Duration of all motions, [s]."""
        return sum(segment.motion.duration_s for segment in self.segments)


def rejection_summary(rejected: Sequence[RejectedTarget]) -> str:
    """List why initial states were rejected, equal reasons together."""
    ranks: dict[str, list[str]] = {}
    for each in rejected:
        ranks.setdefault(each.reason, []).append(str(each.rank))
    return "; ".join(f"sample {', '.join(numbers)}: {reason}" for reason, numbers in ranks.items())
