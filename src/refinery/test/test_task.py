import copy
import dataclasses
from pathlib import Path

import pytest

from refinery import extends
from refinery.config import from_mapping, to_mapping
from refinery.errors import ConfigError
from refinery.paths import config_file, share_dir
from refinery.task import Task, load_task

TASKS = sorted((share_dir() / "config" / "tasks").glob("*.yaml"))
HASHES = {
    "cross_corner": "82a1ba3c0a8e5cca04183c4e05fc4e8e999f89d0a4216b4cbe960f4287032ad2",
    "hexagon": "ef1c1ea33717d9fd286578167806028016490fa9e370dba35f7a3cd930e4d8a1",
    "l_bracket": "9191c297728695c5f6a12512f67c9b8722a3cd0d09bdf52e58333f400457b838",
    "peg_rect": "26b68ade1f41c2e6e33a1880bfd2096aa29aecb07915759dac3a5321ba3e6f48",
    "square_tilt": "a003947bca99594aed1d20e15c0eaf830d4b0ca1e0c680b0cce2de6b3ac6d89e",
    "square_xy": "f9094993a55503002f305719ae045b36aead52f0a8d470d478ac9607fa44a596",
    "t_post": "77c11c46a30d6f3ba68d8aba7431c26e20d134e68708ded907b6fd5ccfe43247",
    "three_prongs": "7bbc9885842bef68b0205d738b0e27ca974534f03085234a54a3f86b00526e44",
    "two_prongs": "63c0a7b49d0156473f422485056f9e7f819c7f6b8e951a9d93206b78d021d311",
}
"""Bundles and policies carry these: another hash is another task."""

POST = {"section": {"family": "square", "size_m": [0.012]}, "low_m": 0.0, "high_m": 0.02}


@pytest.fixture
def raw():
    return extends.read(config_file("tasks", "peg_rect")).content


@pytest.mark.parametrize("file", TASKS, ids=lambda f: f.stem)
def test_every_shipped_task_loads_under_its_own_name(file):
    assert load_task(file).name == file.stem


def test_the_shipped_tasks_are_those_that_bundles_and_policies_name():
    assert {file.stem: load_task(file).hash() for file in TASKS} == HASHES


@pytest.mark.ros
def test_the_installed_tasks_are_those_that_bundles_and_policies_name():
    from ament_index_python.packages import get_package_share_directory

    files = (Path(get_package_share_directory("refinery")) / "config" / "tasks").glob("*.yaml")
    assert {file.stem: load_task(file).hash() for file in files} == HASHES


def test_what_came_later_is_stated_only_where_it_counts(raw):
    task = from_mapping(raw, Task, source="x")
    assert "solids" not in to_mapping(task)["socket"] and "chamfer_m" not in to_mapping(task)["plug"]
    raw["socket"] |= {"solids": [POST | {"high_m": raw["socket"]["depth_m"]}]}
    posted = from_mapping(raw, Task, source="x")
    assert posted.hash() != task.hash()
    assert from_mapping(to_mapping(posted), Task, source="y") == posted


def test_a_step_of_an_assembly_is_named_without_its_folder():
    assert load_task(config_file("tasks", "gearbox_shaft")).name == "gearbox_shaft"
    assert config_file("tasks", "gearbox_shaft").parent.name == "assembly"


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
        ("socket.solids", [POST | {"high_m": -0.01}], "a height over low_m"),
        ("socket.solids", [POST | {"chamfer_m": 0.03}], "[0, high_m - low_m)"),
        ("socket.solids", [POST], "the top of the highest solid"),
        ("plug.chamfer_m", 0.05, "[0, length_m)"),
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
