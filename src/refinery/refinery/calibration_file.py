"""What a cell has learnt of its socket estimate, kept in a file per fixture (JSON), with where it comes from."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from refinery.calibration import CalibrationSpec, SocketCalibration
from refinery.errors import ConfigError
from refinery.storage import read_json, write_whole

SCHEMA = 1
"""Version of the file."""
_ANEW = "move the file away to learn anew"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def calibration_path(folder: Path, fixture: str) -> Path:
    """Return the file of a fixture.

    Raises:
        ConfigError: The name is not fit for a file.
    """
    if not _NAME.fullmatch(fixture) or fixture.startswith("."):
        raise ConfigError("calibration", "fixture", "1 to 64 letters, digits, '_', '-' and '.'", fixture)
    return folder / f"{fixture}.json"


def save_calibration(
    path: Path,
    calibration: SocketCalibration,
    *,
    fixture: str,
    task: str,
    base_frame: str,
    provenance: dict[str, Any],
) -> None:
    """Write what was learnt, whole or not at all.

    Args:
        path: The file.
        calibration: What was learnt.
        fixture: Name of the fixture.
        task: Name of the task whose insertions taught it.
        base_frame: Frame of the observations.
        provenance: Bundle and version behind the last change.

    Raises:
        StorageError: It cannot be written.
    """
    raw = {
        "schema": SCHEMA,
        "fixture": fixture,
        "task": task,
        "base_frame": base_frame,
        "changed": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "observations_m": [[round(x, 7), round(y, 7)] for x, y in calibration.observations_m.tolist()],
        "provenance": provenance,
    }
    write_whole(path, json.dumps(raw, indent=2) + "\n", "give another folder as calibration_dir")


def load_calibration(
    path: Path, spec: CalibrationSpec, *, fixture: str, task: str, base_frame: str, max_age: timedelta
) -> tuple[SocketCalibration, str]:
    """Read what was learnt, or begin anew where there is no file yet, or only an old one.

    Args:
        path: The file.
        spec: How to go on learning.
        fixture: Name of the fixture it must be of.
        task: Name of the task it must be of.
        base_frame: Frame that its observations must be in.
        max_age: A file that has not changed for longer is left out of account.

    Returns:
        What was learnt, and why the file was left out of account; empty if it was not.

    Raises:
        RefineryError: The file cannot be read, is damaged or is of another fixture, task or frame; what to do is in it.
    """
    try:
        raw = read_json(path)
    except FileNotFoundError:
        return SocketCalibration(spec), ""
    for key, expected in (("schema", SCHEMA), ("fixture", fixture), ("task", task), ("base_frame", base_frame)):
        if raw.get(key) != expected:
            raise ConfigError(path, key, repr(expected), raw.get(key), _ANEW)
    seen, changed = raw.get("observations_m"), _time(path, raw.get("changed"))
    if not (isinstance(seen, list) and all(_is_pair(pair) for pair in seen)):
        raise ConfigError(path, "observations_m", "a list of [x, y] in metres", seen, _ANEW)
    if datetime.now(timezone.utc) - changed > max_age:
        return SocketCalibration(spec), f"{path}: last changed {changed:%Y-%m-%d}, more than {max_age.days} days ago"
    return SocketCalibration(spec, seen), ""


def _time(path: Path, value: object) -> datetime:
    wrong = ConfigError(path, "changed", "a time with its zone, ISO 8601", value, _ANEW)
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        raise wrong from None
    if time.tzinfo is None:
        raise wrong
    return time


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value)
    )
