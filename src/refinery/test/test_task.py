import copy
import dataclasses

import pytest

from refinery import strict_yaml
from refinery.config import from_mapping, to_mapping
from refinery.errors import ConfigError
from refinery.paths import config_file, share_dir
from refinery.task import Task, load_task

TASKS = sorted((share_dir() / "config" / "tasks").glob("*.yaml"))


@pytest.fixture
def raw():
    return strict_yaml.read(config_file("tasks", "peg_rect"))


@pytest.mark.parametrize("file", TASKS, ids=lambda f: f.stem)
def test_every_shipped_task_loads_under_its_own_name(file):
    assert load_task(file).name == file.stem


def test_hash_follows_contents_not_layout(raw):
    task = from_mapping(raw, Task, source="x")
    assert from_mapping(to_mapping(task), Task, source="y").hash() == task.hash()
    other = copy.deepcopy(raw)
    other["socket"]["clearance_m"] *= 1.0001
    assert from_mapping(other, Task, source="x").hash() != task.hash()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("socket.clearance_m", -0.0005, "clearance per side"),
        ("socket.friction", -1, "coefficient"),
        ("plug.section", {"family": "rectangle", "size_m": [0.01]}, "2 positive lengths (x, y)"),
        ("socket.friction_range", 0.5, "in [0, 0.4]"),
        ("socket.chamfer_m", 0.025, "[0, depth_m)"),
        ("socket.neighbours", [{"centre_m": [0, 0, 0], "half_size_m": [0.01, 0, 0.01]}], "three positive values"),
        ("control.policy_rate_hz", 0, "rate"),
        ("control.stiffness", [1, 1, 1, 1, 1, 0], "positive"),
        ("initial_state.trained_in", {"x": [-0.5, 0.5], "z": [0.035, 0.035]}, "deployed_in.x: expected bounds around"),
        ("initial_state.deployed_in", {"z": [0.04, 0.03]}, "a lower and an upper bound"),
        ("limits.max_tilt_rad", 0.1, "widest initial state"),
        ("noise.estimate_jitter_m", 5.0, "[0, 0.1]"),
    ],
)
def test_bad_values_name_their_key(raw, path, value, words):
    part, key = path.split(".")
    raw[part][key] = value
    with pytest.raises(ConfigError) as caught:
        from_mapping(raw, Task, source="peg.yaml")
    assert "peg.yaml" in str(caught.value) and part in str(caught.value) and words in str(caught.value)


def test_misspelt_key_is_named(raw):
    raw["socket"]["clearence_m"] = raw["socket"].pop("clearance_m")
    with pytest.raises(ConfigError, match=r"socket\.clearence_m.*did you mean 'clearance_m'"):
        from_mapping(raw, Task, source="peg.yaml")


def test_a_request_names_a_task_by_nothing_its_name_or_its_contents(raw):
    task = from_mapping(raw, Task, source="x")
    assert all(task.is_meant_by(asked) for asked in ("", task.name, task.hash()))
    other = dataclasses.replace(task, description="the same name, another task")
    assert other.is_meant_by(task.name) and not other.is_meant_by(task.hash())
    assert not task.is_meant_by("gear")
