"""Writing replaces a bundle whole or leaves the old one; what is no bundle is never touched."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from refinery.bundle import load_bundle, strict_json, with_metadata, write_bundle
from refinery.bundle.files import NAMES
from refinery.errors import BundleError
from refinery.task import Task
from refinery.testing.bundles import constant_policy, servo_policy, tiny_bundle


def test_a_bundle_survives_the_round_trip(task: Task, tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "a" / "b", task)
    assert sorted(item.name for item in path.iterdir()) == sorted(NAMES)
    assert [item.name for item in path.parent.iterdir()] == ["b"]
    states = load_bundle(path).initial_states
    theta = states.mixture.sample(20, np.random.default_rng(1))
    assert task.initial_state.deployed.contains(theta).all()
    again = write_bundle(
        tmp_path / "again",
        name="again",
        policy_onnx=with_metadata(servo_policy(), task),
        task=task,
        part=load_bundle(path).part,
        mixture=states.mixture,
        rule="superlevel_ranked",
        success_model=states.success_model,
        successes=(np.int64(70), np.int64(100)),
        selection={"k": np.int64(2), "bic": np.float64(0.1) + 0.2},
        provenance={"seeds": np.arange(3)},
        evaluation={},
    )
    other = load_bundle(again)
    np.testing.assert_array_equal(
        other.initial_states.success_model.predict(theta).mean, states.success_model.predict(theta).mean
    )
    assert (states.rule, other.initial_states.rule) == ("mixture_ranked", "superlevel_ranked")
    assert other.initial_states.selection == {"k": 2, "bic": 0.1 + 0.2}
    assert other.manifest["provenance"] == {"seeds": [0, 1, 2]}


def test_an_old_bundle_is_replaced(task: Task, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b", task, name="old")
    tiny_bundle(tmp_path / "b", task, name="new")
    assert load_bundle(tmp_path / "b").name == "new"
    assert [item.name for item in tmp_path.iterdir()] == ["b"]


def test_a_failed_write_leaves_the_old_bundle(task: Task, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b", task, name="old")
    with pytest.raises(BundleError, match="width"):
        tiny_bundle(tmp_path / "b", task, constant_policy(np.zeros(6), 3))
    assert load_bundle(tmp_path / "b").name == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["b"]


def test_a_directory_that_is_no_bundle_is_left_alone(task: Task, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match=r"thesis\.tex"):
        tiny_bundle(tmp_path / "home", task)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="expected a bundle or nothing"):
        tiny_bundle(tmp_path / "file", task)
    assert (tmp_path / "home" / "thesis.tex").read_text() == "years of work"


def test_a_policy_of_another_task_is_refused(task: Task, tmp_path: Path, good_bundle: Path) -> None:
    import dataclasses

    other = dataclasses.replace(task, description="another")
    good = load_bundle(good_bundle)
    with pytest.raises(BundleError, match="task_hash"):
        write_bundle(
            tmp_path / "b",
            name="b",
            policy_onnx=with_metadata(servo_policy(), other),
            task=task,
            part=good.part,
            mixture=good.initial_states.mixture,
            success_model=good.initial_states.success_model,
            successes=(1, 2),
            selection={},
            provenance={},
            evaluation={},
        )


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}])
def test_values_without_a_json_form_are_refused(value: object) -> None:
    with pytest.raises(BundleError, match="report"):
        strict_json.dump({"value": value}, "report")
