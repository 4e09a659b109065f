"""The trials that say something about a bundle's success over initial states, and those that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array
from refinery_evaluation.trials.journal import DoneTrial
from refinery_evaluation.trials.taxonomy import ABOUT_START, failure_of


@dataclass(frozen=True, kw_only=True)
class RealTrials:
    """Outcomes by initial state."""

    theta: Array
    """Initial states as the robot's own estimate had them, shape (n, 9)."""
    success: NDArray[np.bool_]
    """Verdicts that count, shape (n,)."""
    uniform: NDArray[np.bool_]
    """Whether the start was drawn uniformly, so that a mean over these trials is one over the box, shape (n,)."""
    left_out: dict[str, int]
    """How many trials say nothing about the start, by why."""

    @classmethod
    def of(cls, done: Sequence[DoneTrial]) -> RealTrials:
        """Sort trials that ran one policy on one task: a stop that would have come from anywhere is left out."""
        kept, left_out = [], Counter[str]()
        for trial in done:
            group = failure_of(trial.record, trial.success)
            if group is not None and group not in ABOUT_START:
                left_out[str(group)] += 1
            elif not np.isfinite(trial.record.theta).all():
                left_out["no initial state"] += 1
            else:
                kept.append(trial)
        return cls(
            theta=np.array([trial.record.theta for trial in kept], dtype=np.float64).reshape(-1, 9),
            success=np.array([trial.success for trial in kept], dtype=bool),
            uniform=np.array([trial.record.starts == "uniform" for trial in kept], dtype=bool),
            left_out=dict(left_out),
        )
