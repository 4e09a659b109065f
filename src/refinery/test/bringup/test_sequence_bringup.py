"""A cell for a sequence: all its bundles for the nodes that run them, the sequence for twin and assembly."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from refinery.bringup.description import describe_bringup
from refinery.errors import BundleError, ConfigError
from refinery.paths import config_file
from refinery.sequence.bundles import bundled_tasks, shipped_bundles
from refinery.sequence.sequence import load_sequence
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle

TASKS = ("block_block", "block_key")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle for each step of block and key; what their parts look like does not count here."""
    folder = tmp_path_factory.mktemp("bundles")
    task = load_task(config_file("tasks", "peg_rect"))
    for name in TASKS:
        tiny_bundle(folder / name, dataclasses.replace(task, name=name))
    return folder


@pytest.mark.parametrize(
    ("robot", "names"),
    [
        ("twin", ["refinery_twin", "move_group", "refinery_sampler", "refinery_policy", "refinery_assembly"]),
        ("fr3", ["refinery_sampler", "refinery_policy", "refinery_assembly"]),
    ],
)
def test_every_node_gets_what_it_needs_of_the_sequence(bundles: Path, robot: str, names: list[str]) -> None:
    specs = {spec.name: spec for spec in describe_bringup(robot, sequence="block_key", bundles=bundles)}
    assert list(specs) == names
    for name in ("refinery_sampler", "refinery_policy"):
        paths = specs[name].parameters["bundle"].split(os.pathsep)
        assert [Path(path) for path in paths] == [bundles / task for task in TASKS]
    for name in {"refinery_twin", "refinery_assembly"} & set(names):
        assert Path(specs[name].parameters["sequence"]) == config_file("sequences", "block_key").resolve()
        assert Path(specs[name].parameters["bundles"]) == bundles
        assert "task" not in specs[name].parameters and "bundle" not in specs[name].parameters


def test_one_bundle_beside_a_sequence_is_refused(bundles: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        describe_bringup("twin", sequence="block_key", bundles=bundles, bundle=bundles / TASKS[0])
    assert caught.value.key == "bundle"


def test_a_sequence_without_bundles_takes_those_shipped_on_the_twin_and_is_refused_on_a_robot() -> None:
    specs = {spec.name: spec for spec in describe_bringup("twin", sequence="gearbox")}
    assert Path(specs["refinery_assembly"].parameters["bundles"]) == shipped_bundles()
    with pytest.raises(ConfigError) as caught:
        describe_bringup("fr3", sequence="gearbox")
    assert caught.value.key == "bundles"


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="block_block"):
        describe_bringup("twin", sequence="block_key", bundles=tmp_path)


def test_a_bundle_for_another_task_is_refused(bundles: Path) -> None:
    sequence = load_sequence("block_key")
    first, second = sequence.steps
    wrong = dataclasses.replace(sequence, steps=(first, dataclasses.replace(second, bundle="block_block")))
    with pytest.raises(ConfigError) as caught:
        bundled_tasks(wrong, bundles)
    assert caught.value.key == "steps[1].bundle"
