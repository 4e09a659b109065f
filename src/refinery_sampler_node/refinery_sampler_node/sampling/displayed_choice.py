"""A choice of initial states as it is displayed: a plain value between sampling and display."""

from __future__ import annotations

from dataclasses import dataclass

from refinery.mixture import Mixture
from refinery.rotations import Poses
from refinery_sampler_node.sampling.initial_state_chooser import Choice


@dataclass(frozen=True, kw_only=True)
class DisplayedChoice:
    """One choice of initial states and the progress of its placement."""

    choice: Choice
    """Candidates and chosen states."""
    mixture: Mixture
    """What they were chosen by."""
    socket: Poses
    """Socket estimate in the base frame, batch of one."""
    chosen: int | None = None
    """Row of the choice that the arm goes to; None if all rows were requested."""
    rejected: tuple[str, ...] = ()
    """Why MoveIt found no plan to the rows before it."""
    approach: tuple[Poses, Poses] | None = None
    """Tool poses at the stand-off and at the initial state, base frame; None if no motion is planned."""
