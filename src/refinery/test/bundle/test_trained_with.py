"""A bundle says what its weights were trained with, and is refused where that is not what its task asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refinery.bundle import load_bundle, policy_metadata, with_metadata
from refinery.bundle.metadata import check_metadata
from refinery.config import to_mapping
from refinery.errors import BundleError
from refinery.task import Task
from refinery.testing.bundles import servo_policy, tiny_bundle
from refinery.trained_with import TrainedWith


def softer(task: Task) -> Task:
    stiffness = tuple(k / 2 for k in task.control.stiffness)
    return dataclasses.replace(task, control=dataclasses.replace(task.control, stiffness=stiffness))


def test_a_bundle_says_what_its_weights_were_trained_with(good_bundle: Path, task: Task) -> None:
    bundle = load_bundle(good_bundle)
    assert bundle.trained_with == TrainedWith.of(task)
    assert (bundle.other_gains, bundle.other_gains_accepted) == ((), False)


def test_other_gains_are_refused_unless_accepted_and_then_recorded(task: Task, tmp_path: Path) -> None:
    soft, record = softer(task), TrainedWith.of(task)
    with pytest.raises(BundleError, match=r"trained at 600 N/m, now 300 \(control\.stiffness x, y, z\)"):
        with_metadata(servo_policy(), soft, record)
    bundle = load_bundle(tiny_bundle(tmp_path / "soft", soft, trained_with=record))
    assert bundle.task == soft and bundle.trained_with == record and bundle.other_gains_accepted
    assert bundle.metadata["stiffness"] == list(soft.control.stiffness)
    assert bundle.metadata["trained_with"]["control"]["stiffness"] == list(task.control.stiffness)
    assert len(bundle.other_gains) == 2


def test_what_needs_no_acceptance_is_not_recorded_as_accepted(task: Task) -> None:
    assert policy_metadata(task, TrainedWith.of(task), accept_other_gains=True)["other_gains_accepted"] is False


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "from before": (lambda raw: raw.pop("trained_with"), r"trained_with: expected .* got nothing.*--trained-with"),
    "other gains": (
        lambda raw: raw["trained_with"]["control"].update(stiffness=[300.0] * 6),
        r"trained at 300 N/m, now 600 \(control\.stiffness x, y, z\).*--accept-other-gains",
    ),
    "no mapping": (lambda raw: raw.update(trained_with=[1]), "trained_with: expected dict"),
    "no control": (lambda raw: raw["trained_with"].update(control=None), r"trained_with\.control: expected a mapping"),
    "text": (lambda raw: raw["trained_with"]["control"].update(damping_ratio="1"), r"trained_with\.control\.damping"),
    "huge": (lambda raw: raw["trained_with"]["control"].update(damping_ratio=10**400), "metadata"),
    "unknown key": (lambda raw: raw["trained_with"].update(colour="red"), r"trained_with\.colour"),
    "many terms": (lambda raw: raw["trained_with"].update(observation=[{}] * 1000), "observation"),
    "another action": (lambda raw: raw["trained_with"].update(action=["dq"] * 7), r"trained_with\.action"),
    "no acceptance": (lambda raw: raw.pop("other_gains_accepted"), "other_gains_accepted: expected bool"),
    "acceptance of 1": (lambda raw: raw.update(other_gains_accepted=1), "other_gains_accepted: expected bool"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_metadata_without_a_sound_record_is_refused(task: Task, change: str) -> None:
    edit, words = CHANGES[change]
    metadata = to_mapping(policy_metadata(task))
    edit(metadata)
    with pytest.raises(BundleError, match=words) as caught:
        check_metadata(metadata, task, "policy.onnx")
    assert str(caught.value).startswith("policy.onnx: metadata") and len(str(caught.value)) < 700


def test_all_mismatches_of_a_foreign_policy_are_told_at_once(task: Task) -> None:
    metadata = to_mapping(policy_metadata(task))
    metadata["observation"][1]["unit"] = "mm"
    metadata["observation"][2]["name"] = "plug_quat"
    del metadata["observation"][8]
    metadata["action"]["names"] = ["dq"] * 7
    metadata["rate_hz"] = 20.0
    with pytest.raises(BundleError) as caught:
        check_metadata(metadata, task, "policy.onnx")
    said = str(caught.value)
    assert all(key in said for key in ("observation[1]", "observation[2]", "observation[8]", "action: ", "rate_hz: "))
    assert "plug_quat" in said and "got none" in said and "docs/fits.md" in said and "export" not in said
