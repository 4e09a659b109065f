"""The record of what weights were trained with: complete, compared setting by setting, and of this version only."""

import dataclasses

import pytest

from refinery.config import from_mapping, to_mapping
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.task import ControlSpec, load_task
from refinery.trained_with import TrainedWith

TASK = load_task(config_file("tasks", "peg_rect"))
RECORD = TrainedWith.of(TASK)


def test_a_record_survives_json():
    assert from_mapping(to_mapping(RECORD), TrainedWith, source="here") == RECORD


def test_the_same_settings_are_no_difference():
    assert RECORD.differences(TASK.control) == ()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(ControlSpec)])
def test_every_setting_counts_and_is_named(name):
    value = getattr(TASK.control, name)
    other = tuple(v / 2 for v in value) if isinstance(value, tuple) else value / 2
    phrases = RECORD.differences(dataclasses.replace(TASK.control, **{name: other}))
    assert phrases and all(f"(control.{name}" in phrase for phrase in phrases)


def test_all_differences_are_told_at_once_equal_ones_together():
    control = dataclasses.replace(
        TASK.control, stiffness=(300.0, 300.0, 600.0, 15.0, 30.0, 30.0), damping_ratio=0.7, policy_rate_hz=30.0
    )
    assert RECORD.differences(control) == (
        "trained at 15 Hz, now 30 (control.policy_rate_hz)",
        "trained at 600 N/m, now 300 (control.stiffness x, y)",
        "trained at 30 Nm/rad, now 15 (control.stiffness rx)",
        "trained at 1, now 0.7 (control.damping_ratio)",
    )


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda raw: raw["observation"].reverse(), r"observation\[0\]"),
        (lambda raw: raw["observation"][2].update(unit="1 rad"), r"observation\[2\]"),
        (lambda raw: raw["observation"].pop(), "observation"),
        (lambda raw: raw["observation"].append(raw["observation"][0]), "observation"),
        (lambda raw: raw["action"].reverse(), "action"),
        (lambda raw: raw.update(semantics="joint torques"), "semantics"),
        (lambda raw: raw["control"].pop("stiffness"), "control.stiffness"),
        (lambda raw: raw.update(task="two words"), "task"),
    ],
)
def test_another_observation_or_action_is_refused(change, key):
    raw = to_mapping(RECORD)
    change(raw)
    with pytest.raises(ConfigError, match=f"weights: {key}: "):
        from_mapping(raw, TrainedWith, source="weights")
