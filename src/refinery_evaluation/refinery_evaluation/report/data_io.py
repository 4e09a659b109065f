"""Keep a run's results in a folder, so that the page can be made again without running anything."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from refinery.config import from_mapping, to_mapping
from refinery.errors import DamagedFileError
from refinery.mixture import Mixture
from refinery.npz import load_arrays, save_arrays
from refinery.statistics import Rate
from refinery.storage import read_json, write_whole
from refinery.success_model import SuccessModel
from refinery.task import Task
from refinery_evaluation.report.data import DemoData, TrialRecord

_ARRAYS = ("base_theta", "base_strict", "refined_theta", "refined_strict")
_RATES = ("clipped", "started")
_PLAIN = ("structure_bits", "env_steps", "p_value", "learning", "cell_picture_note", "seconds", "provenance", "seed")


def save_data(folder: Path, data: DemoData) -> None:
    """Write ``data.json``, ``episodes.npz`` and, if there is one, ``cell.png``.

    Args:
        folder: Created if missing.
        data: The results.
    """
    plain = {name: getattr(data, name) for name in _PLAIN}
    plain["task"] = to_mapping(data.task)
    plain["trials"] = [dataclasses.asdict(trial) for trial in data.trials]
    plain["base_model"] = data.base_model.to_json()
    plain["final_model"] = data.final_model.to_json()
    plain["mixture"] = data.mixture.to_json()
    plain |= {name: _counts(getattr(data, name)) for name in _RATES}
    text = json.dumps(without_nan(plain), indent=1, allow_nan=False)
    write_whole(folder / "data.json", text)
    arrays = {name: getattr(data, name) for name in _ARRAYS}
    if data.start_strict is not None:
        arrays["start_strict"] = data.start_strict
    save_arrays(folder / "episodes.npz", arrays)
    picture = folder / "cell.png"
    picture.unlink(missing_ok=True)
    if data.cell_picture_png is not None:
        write_whole(picture, data.cell_picture_png)


def load_data(folder: Path) -> DemoData:
    """Read what :func:`save_data` wrote.

    Args:
        folder: The folder.

    Raises:
        FileNotFoundError: A file is missing.
        DamagedFileError: A file is not what was written.
        ConfigError: A value is out of range.
    """
    file = folder / "data.json"
    raw, stored = read_json(file), load_arrays(folder / "episodes.npz")
    if missing := sorted({*_ARRAYS} - stored.keys()):
        raise DamagedFileError(f"{folder / 'episodes.npz'}: expected {', '.join(_ARRAYS)}, got no {missing[0]}")
    try:
        return _data(
            file,
            raw,
            {name: stored[name] for name in (*_ARRAYS, "start_strict") if name in stored},
            folder / "cell.png",
        )
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFileError(f"{file}: expected the results of a run, got {type(error).__name__}: {error}") from error


def _data(file: Path, raw: dict[str, Any], arrays: dict[str, Any], picture: Path) -> DemoData:
    task = from_mapping(raw["task"], Task, source=file, prefix="task")
    box = task.initial_state.deployed
    plain = {name: raw[name] for name in _PLAIN}
    plain["structure_bits"] = _number(plain["structure_bits"])
    plain["p_value"] = _number(plain["p_value"])
    return DemoData(
        task=task,
        base_model=SuccessModel.from_json(raw["base_model"], box),
        final_model=SuccessModel.from_json(raw["final_model"], box),
        mixture=Mixture.from_json(raw["mixture"], box),
        trials=tuple(trial_from_json(row) for row in raw["trials"]),
        cell_picture_png=picture.read_bytes() if picture.exists() else None,
        # Results from before these were recorded have none.
        clipped=_rate(raw.get("clipped")),
        started=_rate(raw.get("started")),
        **arrays,
        **plain,
    )


def without_nan(value: Any) -> Any:
    """Return plain JSON types: null for NaN and infinity, which JSON does not know, and numbers for numpy scalars."""
    if isinstance(value, dict):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    if isinstance(value, np.generic):
        return without_nan(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _counts(rate: Rate | None) -> dict[str, int] | None:
    return None if rate is None else rate.to_json()


def _rate(raw: dict[str, int] | None) -> Rate | None:
    return None if raw is None else Rate(k=raw["k"], n=raw["n"])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def trial_from_json(row: dict[str, Any]) -> TrialRecord:
    """Read one trial; null stands for NaN except where None means not requested."""
    values: dict[str, Any] = {
        key: math.nan if value is None and key != "predicted" else value for key, value in row.items()
    }
    values["theta"] = tuple(_number(v) for v in row["theta"])
    return TrialRecord(**values)
