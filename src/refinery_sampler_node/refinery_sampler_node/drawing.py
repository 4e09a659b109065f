"""What is drawn of a choice: a plain value between those who choose and those who draw."""

from __future__ import annotations

from dataclasses import dataclass

from refinery.rotations import Poses
from refinery_sampler_node.candidates import Choice


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One choice of initial states, as far as it has come."""

    choice: Choice
    """What was looked at and chosen."""
    socket: Poses
    """Socket estimate in the base frame, batch of one."""
    chosen: int | None = None
    """Row of the choice that the arm goes to; none if all rows were asked for."""
    turned_down: tuple[str, ...] = ()
    """Why MoveIt has no way to the rows before it."""
    approach: tuple[Poses, Poses] | None = None
    """Tool poses at the stand-off and at the initial state, base frame; none if no motion is planned."""
