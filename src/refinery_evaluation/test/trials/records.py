"""A record of a trial with everything but what a test is about."""

from __future__ import annotations

from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.design import PlannedTrial


def record(trial: PlannedTrial, success: bool, **changes: object) -> TrialRecord:
    values: dict[str, object] = {
        "index": trial.number,
        "starts": "uniform",
        "seed": trial.seed,
        "theta": (),
        "predicted": None,
        "placed": True,
        "place_error_mm": 0.1,
        "place_error_deg": 0.0,
        "outcome": "success" if success else "failed",
        "reason": "",
        "strict": success,
        "engaged": success,
        "depth_mm": 25.0 if success else 0.0,
        "lateral_mm": 0.1,
        "angle_deg": 0.0,
        "max_force_n": float("nan"),
        "duration_s": 3.0,
    }
    return TrialRecord(**values | changes)  # type: ignore[arg-type]
