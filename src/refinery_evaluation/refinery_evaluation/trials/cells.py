"""Where a planned trial is run: on the twin, which knows how it ended, or on a robot, where a person is asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

from refinery.initial_state import GRASP
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.bundle_switch import BundleSwitch
from refinery_evaluation.trials.client import OUTCOMES, REASONS, TrialClient
from refinery_evaluation.trials.design import Condition, PlannedTrial
from refinery_evaluation.trials.operator import Operator
from refinery_evaluation.trials.run import one_trial
from refinery_msgs.msg import Outcome

STARTS = {"uniform": "uniform", "best": "sampled"}
"""What the report calls each way to sample a start."""


class Cell(Protocol):
    """Runs one trial."""

    def run(self, trial: PlannedTrial, condition: Condition) -> TrialRecord:
        """Set up, place, insert; return what the machine knows of it.

        Raises:
            NotReadyError: The cell did not do its part; the trial counts as interrupted.
        """


class TwinCell:
    """The twin: it sets each trial's cell up by its seed, and its physics tell how the trial ended.

    Args:
        client: Ready client.
        switch: Of the same cell.
    """

    def __init__(self, client: TrialClient, switch: BundleSwitch) -> None:
        self._client, self._switch = client, switch

    def run(self, trial: PlannedTrial, condition: Condition) -> TrialRecord:
        """See :class:`Cell`."""
        self._switch.use(Path(condition.bundle))
        return one_trial(self._client, trial.number + 1, STARTS[condition.mode], condition.mode, trial.seed)


class RobotCell:
    """A robot: a person loads the part, confirms every stop, and gives the verdict.

    Args:
        client: Ready client.
        switch: Of the same cell.
        operator: The person.
    """

    def __init__(self, client: TrialClient, switch: BundleSwitch, operator: Operator) -> None:
        self._client, self._switch, self._operator = client, switch, operator

    def run(self, trial: PlannedTrial, condition: Condition) -> TrialRecord:
        """See :class:`Cell`; ``strict`` is what the policy node itself says, by its socket estimate."""
        self._switch.use(Path(condition.bundle))
        self._operator.load(trial)
        placed = self._client.place(condition.mode, trial.seed)
        arrived = placed.outcome.value == Outcome.SUCCESS
        outcome, reason, guard = OUTCOMES[placed.outcome.value], f"placement: {placed.outcome.message}", "none"
        depth_m = lateral_m = angle_rad = math.nan
        duration_s = 0.0
        if arrived:
            inserted = self._client.insert(trial.number + 1, tuple(placed.theta[GRASP]))
            outcome, reason = OUTCOMES[inserted.outcome.value], inserted.outcome.message
            guard, duration_s = REASONS.get(inserted.reason.value, "none"), inserted.duration_s
            depth_m, lateral_m, angle_rad = inserted.depth_m, inserted.lateral_error_m, inserted.angle_error_rad
            if inserted.outcome.value == Outcome.STOPPED:
                self._operator.confirm_stop(trial, reason)
                self._client.rearm()
        seated = arrived and outcome == "success"
        return TrialRecord(
            index=trial.number + 1,
            starts=STARTS[condition.mode],
            seed=trial.seed,
            theta=tuple(placed.theta),
            predicted=None if math.isnan(placed.success_probability) else placed.success_probability,
            placed=arrived,
            place_error_mm=1e3 * placed.position_error_m,
            place_error_deg=math.degrees(placed.rotation_error_rad),
            outcome=outcome,
            reason=reason,
            strict=seated,
            engaged=seated,
            depth_mm=1e3 * depth_m,
            lateral_mm=1e3 * lateral_m,
            angle_deg=math.degrees(angle_rad),
            max_force_n=math.nan,
            duration_s=duration_s,
            guard=guard,
        )
