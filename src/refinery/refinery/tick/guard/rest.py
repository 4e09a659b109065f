"""What a robot at rest shows: whether its wrench estimate is biased, and where most estimates see the socket."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refinery.tick.guard.decision import WRENCH_AXES, WRENCH_UNITS, GuardDecision
from refinery.tick.guard.reason import Level, Reason
from refinery.tick.samples import Inputs

STILL_M = 5e-4
"""A tool that stays within this while it is watched is at rest, [m]."""


@dataclass(frozen=True, kw_only=True)
class WrenchOffset:
    """The external wrench of an arm that touches nothing, on the axis where it takes the largest share of its limit."""

    axis: int
    """Index into the wrench: force x, y, z, torque x, y, z."""
    value: float
    """Median over the samples, [N] or [Nm]."""
    limit: float
    """The task's limit on that axis, [N] or [Nm]."""

    @property
    def share(self) -> float:
        """Share of the limit."""
        return abs(self.value) / self.limit

    @property
    def message(self) -> str:
        """The offset in one sentence, with what to do."""
        unit = WRENCH_UNITS[self.axis]
        return (
            f"external {WRENCH_AXES[self.axis]} of the arm at rest: {self.value:.3g} {unit}, which is "
            f"{100 * self.share:.0f} % of the limit of {self.limit:.3g} {unit}; "
            "are the load and the tool's mass set right at the robot?"
        )


def at_rest(inputs: Sequence[Inputs]) -> bool:
    """Tell whether the measured tool stayed where it was."""
    positions = np.array([each.measured.pos_m for each in inputs])
    return bool(np.linalg.norm(positions - positions[0], axis=1).max() <= STILL_M)


def wrench_offset(inputs: Sequence[Inputs], max_wrench: Sequence[float]) -> WrenchOffset:
    """Return the wrench of an arm at rest where it is largest against its limit.

    Args:
        inputs: Samples while the arm was at rest, at least one.
        max_wrench: The task's limits, three [N] and three [Nm].
    """
    median = np.median(np.array([each.wrench.wrench for each in inputs]), axis=0)
    axis = int(np.argmax(np.abs(median) / np.asarray(max_wrench)))
    return WrenchOffset(axis=axis, value=float(median[axis]), limit=float(max_wrench[axis]))


def judge_offset(offset: WrenchOffset, refuse_share: float) -> GuardDecision:
    """Refuse an offset that would make the limit of the wrench meaningless.

    Args:
        offset: Of the arm at rest.
        refuse_share: Largest accepted share of the limit.
    """
    # A wrench that is no number is for the guard to name.
    if not math.isfinite(offset.value) or offset.share <= refuse_share:
        return GuardDecision()
    return GuardDecision(level=Level.STOP, reason=Reason.WRENCH_OFFSET, message=offset.message)
