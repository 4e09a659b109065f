"""Records of trials in a file, together with the task that they are of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from refinery.bundled_task import load_bundled_task
from refinery.errors import DamagedFileError, RefineryError
from refinery.storage import read_json, write_whole
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.report.data_io import trial_from_json, without_nan


def write_trials(path: Path, task: str, trials: Sequence[TrialRecord]) -> None:
    """Write trials.

    Args:
        path: File to write (.json).
        task: Name of the task as the nodes reported it.
        trials: The records.
    """
    rows = [dataclasses.asdict(trial) for trial in trials]
    write_whole(path, json.dumps(without_nan({"task": task, "trials": rows}), indent=1, allow_nan=False) + "\n")


def read_trials(path: Path, bundle: Path) -> list[TrialRecord]:
    """Read trials that were run with a bundle.

    Args:
        path: File of :func:`write_trials`.
        bundle: The bundle's directory.

    Raises:
        DamagedFileError: The file is not one of trials.
        RefineryError: The trials are of another task.
    """
    raw, task = read_json(path), load_bundled_task(bundle)
    try:
        found = [trial_from_json(row) for row in raw["trials"]]
    except (LookupError, TypeError, AttributeError) as error:
        raise DamagedFileError(f"{path}: expected trials of `refinery trial --out`, got {error!r}") from None
    if raw.get("task") != task.name:
        raise RefineryError(f"{path}: expected trials of {task.name!r}, the task of {bundle}, got {raw.get('task')!r}")
    return found
