"""The envelope is optional, hashed like every other file, read strictly, and means what it says."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundle.json_values import JSON
from bundle.sealing import seal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinery.bundle import Bundle, ObservationStatistics, load_bundle, write_bundle
from refinery.bundle.files import ENVELOPE
from refinery.errors import BundleError
from refinery.observation import OBSERVATION_SIZE
from refinery.testing.bundles import tiny_bundle, tiny_envelope

N = OBSERVATION_SIZE
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_with(envelope: ObservationStatistics | None, good: Bundle, path: Path) -> Path:
    states = good.initial_states
    return write_bundle(
        path,
        name="with",
        policy_onnx=good.policy_onnx,
        task=good.task,
        part=good.part,
        mixture=states.mixture,
        success_model=states.success_model,
        successes=(states.successes_k, states.successes_n),
        selection={},
        provenance={},
        evaluation={},
        envelope=envelope,
    )


@pytest.fixture(scope="session")
def enveloped(good_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with an envelope that nobody changes."""
    return write_with(tiny_envelope(), load_bundle(good_bundle), tmp_path_factory.mktemp("bundles") / "enveloped")


@pytest.fixture
def copy(enveloped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(enveloped, tmp_path / "copy"))


def test_a_bundle_may_do_without(good_bundle: Path) -> None:
    assert load_bundle(good_bundle).envelope is None


def test_an_envelope_survives_the_round_trip_to_the_bit(enveloped: Path) -> None:
    first, again = tiny_envelope(), load_bundle(enveloped).envelope
    assert again is not None
    for field in dataclasses.fields(ObservationStatistics):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(again, field.name), field.name)


def test_a_bundle_is_replaced_by_one_without_and_back(enveloped: Path, good_bundle: Path, tmp_path: Path) -> None:
    good, path = load_bundle(good_bundle), tmp_path / "b"
    for envelope in (tiny_envelope(), None, tiny_envelope(1)):
        write_with(envelope, good, path)
        assert (load_bundle(path).envelope is None) == (envelope is None)
        assert (path / ENVELOPE).exists() == (envelope is not None)


def test_a_removed_envelope_is_missed_and_an_added_one_refused(copy: Path, good_bundle: Path, tmp_path: Path) -> None:
    added = Path(shutil.copytree(good_bundle, tmp_path / "added"))
    shutil.copy(copy / ENVELOPE, added / ENVELOPE)
    with pytest.raises(BundleError, match=r"envelope\.json: expected no such file \(from manifest\.json\), got one"):
        load_bundle(added)
    (copy / ENVELOPE).unlink()
    with pytest.raises(BundleError, match=r"envelope\.json: expected this file \(from manifest\.json\), got nothing"):
        load_bundle(copy)


def test_an_envelope_of_another_task_is_refused(copy: Path, task, tmp_path: Path) -> None:
    other = load_bundle(tiny_bundle(tmp_path / "other", dataclasses.replace(task, description="another")))
    shutil.copy(write_with(tiny_envelope(), other, tmp_path / "with") / ENVELOPE, copy / ENVELOPE)
    with pytest.raises(BundleError, match=r"envelope\.json: expected SHA-256"):
        load_bundle(copy)
    seal(copy)
    with pytest.raises(BundleError, match=r"envelope\.json: task_hash: expected .* the task has changed"):
        load_bundle(copy)


@SLOW
@given(data=st.data())
def test_any_flipped_byte_is_refused(enveloped: Path, data: st.DataObject, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(enveloped, tmp_path / "flipped", dirs_exist_ok=True))
    content = bytearray((enveloped / ENVELOPE).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (bundle / ENVELOPE).write_bytes(content)
    with pytest.raises(BundleError, match=r"envelope\.json: expected SHA-256"):
        load_bundle(bundle)


EDITS: dict[str, tuple[Callable[[dict], object], str]] = {
    "schema": (lambda raw: raw.update(schema=1), "schema: expected 2, got 1"),
    "unknown key": (lambda raw: raw.update(tickz=3), "expected only the keys.*'tickz'"),
    "missing key": (lambda raw: raw.pop("ticks"), "ticks: expected this key"),
    "terms": (lambda raw: raw["terms"].reverse(), "terms: expected .* another observation"),
    "short": (lambda raw: raw["low"].pop(), "low: expected 28 numbers"),
    "text": (lambda raw: raw["mean"].__setitem__(0, "0.5"), "mean: expected 28 numbers"),
    "truth": (lambda raw: raw["mean"].__setitem__(0, True), "mean: expected 28 numbers"),
    "nothing": (lambda raw: raw["std"].__setitem__(0, None), "std: expected 28 numbers"),
    "huge": (lambda raw: raw["high"].__setitem__(0, 10**400), "high: expected 28 numbers"),
    "ragged": (lambda raw: raw["whitening"][3].pop(), "whitening: expected 28 rows"),
    "one row": (lambda raw: raw.update(whitening=raw["whitening"][:1]), r"whitening: expected the shape \(28, 28\)"),
    "no matrix": (lambda raw: raw.update(whitening=[0.0] * 28), "whitening: expected 28 rows"),
    "crossed": (lambda raw: raw["low"].__setitem__(4, raw["high"][4]), r"high: expected .* got plug_pos_fine\[1\]"),
    "no spread": (lambda raw: raw["std"].__setitem__(4, 0.0), "std: expected positive"),
    "distance": (lambda raw: raw.update(max_distance=0), "max_distance: expected a positive"),
    "far": (lambda raw: raw.update(max_distance=10**400), "max_distance: expected a positive"),
    "distance as text": (lambda raw: raw.update(max_distance="9"), "max_distance: expected int or float"),
    "ticks": (lambda raw: raw.update(ticks=0), "ticks: expected 1 to 100"),
    "ticks as float": (lambda raw: raw.update(ticks=3.0), "ticks: expected int"),
    "evidence": (lambda raw: raw.update(evidence=[]), "evidence: expected dict"),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_consistent_but_wrong_envelope_is_refused(copy: Path, what: str) -> None:
    edit, match = EDITS[what]
    raw = json.loads((copy / ENVELOPE).read_text())
    edit(raw)
    (copy / ENVELOPE).write_text(json.dumps(raw))
    seal(copy)
    with pytest.raises(BundleError, match=match) as caught:
        load_bundle(copy)
    message = str(caught.value)
    assert str(copy / ENVELOPE) in message and message.isprintable() and len(message) < 1000


@SLOW
@given(data=st.data())
def test_any_value_anywhere_gives_an_envelope_or_a_bundle_error(
    enveloped: Path, data: st.DataObject, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(enveloped, tmp_path / "edited", dirs_exist_ok=True))
    raw = json.loads((enveloped / ENVELOPE).read_text())
    key = data.draw(st.sampled_from(sorted(raw)), label="key")
    if isinstance(raw[key], list) and data.draw(st.booleans(), label="inside"):
        raw[key][data.draw(st.integers(0, len(raw[key]) - 1))] = data.draw(JSON, label="value")
    else:
        raw[key] = data.draw(JSON, label="value")
    (bundle / ENVELOPE).write_text(json.dumps(raw))
    seal(bundle)
    try:
        found = load_bundle(bundle).envelope
    except BundleError as error:
        assert ENVELOPE in str(error)
    else:
        assert found is not None and np.isfinite(found.distance(np.zeros(N)))


def test_a_stop_takes_three_outside_in_a_row() -> None:
    envelope = tiny_envelope()
    calm = np.tile(envelope.mean, (6, 4, 1))
    calm[[1, 2, 4, 5], 1, 0] += 100.0
    calm[[2, 3, 4], 2, 3] -= 100.0
    calm[:, 3] += 4.5 * envelope.std
    assert envelope.stops(calm).tolist() == [False, False, True, True]
    assert envelope.bounded(calm[0]).tolist() == [True, True, True, True]
    assert envelope.inside(calm[0]).tolist() == [True, True, True, False]
