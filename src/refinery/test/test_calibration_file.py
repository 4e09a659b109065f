"""A fixture's calibration survives a restart, and a file that is not its own is refused with key and advice."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from refinery.calibration import CalibrationSpec, SocketCalibration
from refinery.calibration_file import calibration_path, load_calibration, save_calibration
from refinery.errors import ConfigError, DamagedFileError

EXPECTED = {"fixture": "left_nest", "task": "peg", "base_frame": "base"}
SPEC = CalibrationSpec(prior_std_m=2.5e-4, noise_std_m=1.5e-4)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = calibration_path(tmp_path, "left_nest")
    learnt = SocketCalibration(SPEC, np.random.default_rng(0).normal(3e-4, 1e-4, (10, 2)).tolist())
    save_calibration(path, learnt, fixture="left_nest", task="peg", base_frame="base", provenance={"bundle": "one"})
    return path


def read(path: Path) -> SocketCalibration:
    read, ignored = load_calibration(path, SPEC, **EXPECTED, max_age=timedelta(days=30))
    assert not ignored
    return read


def test_what_was_learnt_is_there_after_a_restart(file: Path) -> None:
    correction = read(file).correction()
    assert correction.applied and correction.observations == 10 and correction.offset_m[0] > 1e-4
    assert json.loads(file.read_text())["provenance"] == {"bundle": "one"}


def test_a_new_fixture_begins_with_nothing(tmp_path: Path) -> None:
    assert not read(tmp_path / "none.json").correction().applied


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", 2),
        ("fixture", "other"),
        ("task", "other"),
        ("base_frame", "world"),
        ("changed", "yesterday"),
        ("changed", "2026-01-01T00:00:00"),
        ("observations_m", [[1.0]]),
        ("observations_m", 3),
    ],
)
def test_a_file_that_does_not_fit_is_refused(file: Path, key: str, value: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(ConfigError) as refusal:
        read(file)
    assert refusal.value.key == key and refusal.value.source == str(file)


def test_an_old_file_is_left_out_of_account_and_named(file: Path) -> None:
    old = datetime.now(timezone.utc) - timedelta(days=31)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"changed": old.isoformat()}))
    learnt, ignored = load_calibration(file, SPEC, **EXPECTED, max_age=timedelta(days=30))
    assert not learnt.correction().applied and ignored.startswith(str(file))


def test_half_a_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DamagedFileError):
        read(file)


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "a/b", "x" * 65])
def test_a_name_must_be_fit_for_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        calibration_path(tmp_path, name)
