"""Whatever is done to a bundle on disk, loading it gives a bundle or a BundleError that says what is wrong."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bundle.json_values import JSON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinery.bundle import load_bundle
from refinery.bundle.files import HASHED, INITIAL_STATES, MANIFEST, NAMES, PART, POLICY
from refinery.errors import BundleError
from refinery.task import Task

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def bundle(good_bundle: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(good_bundle, tmp_path / "copy"))


def test_a_good_bundle_loads(good_bundle: Path, task: Task) -> None:
    bundle = load_bundle(good_bundle)
    assert bundle.task == task
    assert bundle.name == "tiny"
    assert (bundle.initial_states.successes_k, bundle.initial_states.successes_n) == (70, 100)
    assert bundle.policy_onnx == (good_bundle / POLICY).read_bytes()
    assert bundle.manifest["evaluation"] == {"none": {"k": 0, "n": 0}}


@SLOW
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_any_flipped_byte_is_refused(good_bundle: Path, name: str, data: st.DataObject, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(good_bundle, tmp_path / "flipped", dirs_exist_ok=True))
    content = bytearray((good_bundle / name).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1), label="byte")
    content[at] ^= data.draw(st.integers(1, 255), label="flip")
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=name):
        load_bundle(bundle)


@SLOW
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_or_grown_file_is_refused(
    good_bundle: Path, name: str, data: st.DataObject, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(good_bundle, tmp_path / "cut", dirs_exist_ok=True))
    content = (good_bundle / name).read_bytes()
    cut = content[: data.draw(st.integers(0, len(content) - 1), label="length")]
    (bundle / name).write_bytes(data.draw(st.sampled_from([cut, content + b" ", content + content]), label="content"))
    with pytest.raises(BundleError, match=name):
        load_bundle(bundle)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"got none named {name}"):
        load_bundle(bundle)


def test_a_bundle_from_before_there_were_parts_asks_for_another_export(bundle: Path) -> None:
    raw = json.loads((bundle / MANIFEST).read_text())
    raw["schema"] = 1
    del raw["files"][PART]
    (bundle / MANIFEST).write_text(json.dumps(raw))
    (bundle / PART).unlink()
    with pytest.raises(BundleError, match=r"schema 2.*got none named part\.json; export again"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", NAMES)
def test_something_that_is_no_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BundleError, match="regular file"):
        load_bundle(bundle)


def test_an_added_file_is_refused(bundle: Path) -> None:
    (bundle / "weights.pkl").write_bytes(b"never read")
    with pytest.raises(BundleError, match=r"weights\.pkl"):
        load_bundle(bundle)


@pytest.mark.parametrize("path", ["nothing/here", "nul\0byte", __file__])
def test_a_path_that_is_no_bundle_is_refused(path: str) -> None:
    with pytest.raises(BundleError, match="expected"):
        load_bundle(path)


def test_two_bundles_mixed_are_refused(bundle: Path, good_bundle: Path) -> None:
    text = (bundle / INITIAL_STATES).read_text().replace('"k": 70', '"k": 71')
    (bundle / INITIAL_STATES).write_text(text)
    with pytest.raises(BundleError, match=r"initial_states\.json.*SHA-256"):
        load_bundle(bundle)


EDITS: dict[str, tuple[str, Callable[[dict], object], str]] = {
    "manifest schema": (MANIFEST, lambda raw: raw.update(schema=3), "schema: expected 2, got 3"),
    "manifest schema type": (MANIFEST, lambda raw: raw.update(schema=True), "schema: expected 2, got True"),
    "manifest of before": (MANIFEST, lambda raw: raw.update(schema=1), "schema: expected 2, got 1.*export again"),
    "states schema": (INITIAL_STATES, lambda raw: raw.update(schema=0), "schema: expected 2, got 0"),
    "task edited": (MANIFEST, lambda raw: raw["task"]["socket"].update(friction=0.1), "task_hash"),
    "task out of range": (MANIFEST, lambda raw: raw["task"]["socket"].update(clearance_m=-1), "clearance_m"),
    "task key": (MANIFEST, lambda raw: raw["task"].update(colour="red"), "colour"),
    "states of another task": (INITIAL_STATES, lambda raw: raw.update(task_hash="0" * 64), "task_hash"),
    "states without mixture": (INITIAL_STATES, lambda raw: raw.pop("mixture"), "mixture"),
    "weights": (INITIAL_STATES, lambda raw: raw["mixture"].update(weights=[0.5, 0.6]), "mixture.*weights"),
    "weights text": (INITIAL_STATES, lambda raw: raw["mixture"].update(weights=["a", "b"]), "mixture"),
    "ragged means": (INITIAL_STATES, lambda raw: raw["mixture"].update(means=[[0.1], [0.1, 0.2]]), "mixture"),
    "huge model": (INITIAL_STATES, lambda raw: raw["success_model"].update(inputs=[[0.5]] * 9000), "at most 4000"),
    "counts": (INITIAL_STATES, lambda raw: raw["successes"].update(k=101), "successes"),
    "counts type": (INITIAL_STATES, lambda raw: raw["successes"].update(k=1.5), "k: expected int"),
    "rule": (INITIAL_STATES, lambda raw: raw.update(rule="exec"), "rule"),
    "theta order": (INITIAL_STATES, lambda raw: raw["theta_names"].reverse(), "theta_names"),
    "theta of six": (INITIAL_STATES, lambda raw: raw["theta_names"].__delitem__(slice(6, 9)), "theta_names.*grasp_x"),
    "task of six": (
        MANIFEST,
        lambda raw: raw["task"].update(initial_state={"trained_low": [0.0] * 6}),
        "initial_state.trained_low: expected a known key.*trained_in",
    ),
    "box": (INITIAL_STATES, lambda raw: raw["box"]["low"].__setitem__(0, -1.0), "box"),
    "unknown key": (INITIAL_STATES, lambda raw: raw.update(seletcion={}), "expected only the keys.*'seletcion'"),
    "unknown key of the manifest": (MANIFEST, lambda raw: raw.update(notes=1), "expected only the keys.*'notes'"),
    "kind of model": (INITIAL_STATES, lambda raw: raw["success_model"].update(kind="tree"), "kind: expected 'gp_rbf'"),
    "coordinates": (INITIAL_STATES, lambda raw: raw["mixture"].update(coordinates="unit box of yaw"), "coordinates"),
    "numbers as texts": (
        INITIAL_STATES,
        lambda raw: raw["mixture"].update(weights=["0.6", "0.4"]),
        "weights: expected",
    ),
    "number as text": (INITIAL_STATES, lambda raw: raw["success_model"].update(amplitude="0.3"), "amplitude: expected"),
    "no draws": (INITIAL_STATES, lambda raw: raw["mixture"].update(means=[[50.0] * 8] * 2), "to draw starts from"),
    "useless rates": (INITIAL_STATES, lambda raw: raw["success_model"].update(rates=[1e308, -1e308, 1e308]), "finite"),
    "too many trials": (INITIAL_STATES, lambda raw: raw["successes"].update(n=10**4000), "successes: expected"),
    "deep": (INITIAL_STATES, lambda raw: raw.update(selection={"a": nested(40)}), "at most 32 levels"),
    "deeper than the stack": (INITIAL_STATES, lambda raw: raw.update(rule=nested(940)), "levels|strict JSON"),
    "half a pair": (INITIAL_STATES, lambda raw: raw.update(selection={"a": "\ud800"}), "half a surrogate pair"),
    "half a pair for a key": (
        INITIAL_STATES,
        lambda raw: raw["selection"].update({"\ud800": 1}),
        "half a surrogate pair",
    ),
    "half a pair in a list": (MANIFEST, lambda raw: raw["provenance"].update(a=["\udfff"]), "half a surrogate pair"),
    "no hash": (MANIFEST, lambda raw: raw["files"].update({"x": "0"}), "expected only the keys.*'x'"),
    "control characters": (MANIFEST, lambda raw: raw.update(name="a\n\x1b[31mERROR"), "name: expected .* printable"),
    "long name": (MANIFEST, lambda raw: raw.update(name="a" * 300), "name: expected"),
    "key of control characters": (MANIFEST, lambda raw: raw["task"].update({"\x1b[31m": 1}), "task.*known key"),
    "number too large": (
        MANIFEST,
        lambda raw: raw["task"]["noise"].update(control_bias_m=int("9" * 400)),
        "task: expected",
    ),
    "too many corners": (MANIFEST, lambda raw: set_rings(raw, [[[0.001, 0.0]] * 3000]), "at most 4000 values"),
    "corners far out": (MANIFEST, lambda raw: set_rings(raw, FAR), "does not hold a task"),
}
FAR = [[[0.002, 1e300], [-0.0, 1e17], [1.7e308, 0.005], [-0.001, 1.7e308]]]


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else 0


def set_rings(raw: dict, rings: object) -> None:
    raw["task"]["plug"]["section"] = {"family": "polygon", "size_m": [], "rings_m": rings}


@pytest.mark.parametrize("what", EDITS)
def test_a_consistent_but_wrong_bundle_is_refused(bundle: Path, what: str) -> None:
    """The hashes are made right again after the edit, as somebody would who edits on purpose."""
    name, edit, match = EDITS[what]
    raw = json.loads((bundle / name).read_text())
    edit(raw)
    (bundle / name).write_text(json.dumps(raw))
    rehash(bundle)
    with pytest.raises(BundleError, match=match) as caught:
        load_bundle(bundle)
    message = str(caught.value)
    assert str(bundle / name) in message
    assert message.isprintable() and len(message) < 1000


def test_a_hash_that_is_none_is_refused(bundle: Path) -> None:
    text = (bundle / MANIFEST).read_text()
    at = text.index('"manifest_sha256": "') + len('"manifest_sha256": "')
    (bundle / MANIFEST).write_text(text[:at] + "\\ud800" + text[at + 64 :])
    with pytest.raises(BundleError, match=MANIFEST):
        load_bundle(bundle)


def test_many_added_files_make_a_short_message(bundle: Path) -> None:
    for number in range(500):
        (bundle / f"{number}.txt").write_text("x")
    with pytest.raises(BundleError, match="and 497 more") as caught:
        load_bundle(bundle)
    assert len(str(caught.value)) < 1000


def test_a_directory_in_place_of_a_file_is_refused(bundle: Path) -> None:
    (bundle / POLICY).unlink()
    (bundle / POLICY).mkdir()
    with pytest.raises(BundleError, match=rf"{POLICY}.*directory"):
        load_bundle(bundle)


def test_metadata_is_part_of_the_bundle(good_bundle: Path, task: Task) -> None:
    assert load_bundle(good_bundle).metadata["stiffness"] == list(task.control.stiffness)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", [MANIFEST, INITIAL_STATES, PART])
def test_numbers_that_are_not_finite_are_refused(bundle: Path, name: str, number: str) -> None:
    text = (bundle / name).read_text().replace("{", '{"extra": ' + number + ", ", 1)
    (bundle / name).write_text(text)
    if name != MANIFEST:
        rehash(bundle)
    with pytest.raises(BundleError, match=f"{name}.*strict JSON"):
        load_bundle(bundle)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "", '{"a": 1, "a": 2}', "\ufeff{}", "1" * 5000, '"x"'])
def test_hostile_json_is_refused(bundle: Path, text: str) -> None:
    (bundle / INITIAL_STATES).write_text(text)
    rehash(bundle)
    with pytest.raises(BundleError, match=INITIAL_STATES):
        load_bundle(bundle)


@SLOW
@given(data=st.data())
@pytest.mark.parametrize("name", [MANIFEST, INITIAL_STATES, PART])
def test_any_value_anywhere_gives_a_bundle_or_a_bundle_error(
    good_bundle: Path, name: str, data: st.DataObject, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(good_bundle, tmp_path / "edited", dirs_exist_ok=True))
    raw = json.loads((bundle / name).read_text())
    place, key = raw, data.draw(st.sampled_from(sorted(raw)), label="key")
    while isinstance(place[key], dict) and place[key] and data.draw(st.booleans(), label="deeper"):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)), label="key")
    place[key] = data.draw(JSON, label="value")
    (bundle / name).write_text(json.dumps(raw))
    rehash(bundle)
    try:
        load_bundle(bundle)
    except BundleError as error:
        assert str(bundle) in str(error) or "initial_states" in str(error)


def rehash(bundle: Path) -> None:
    """Make the manifest's hashes fit the files, if it still is a manifest."""
    from refinery.bundle.files import sha256

    raw = json.loads((bundle / MANIFEST).read_text())
    if isinstance(raw.get("files"), dict):
        for name in HASHED:
            if name in raw["files"]:
                raw["files"][name] = sha256((bundle / name).read_bytes())
    raw["manifest_sha256"] = "0" * 64
    text = json.dumps(raw)
    (bundle / MANIFEST).write_text(
        text.replace("0" * 64, sha256(text.encode()), 1) if text.count("0" * 64) == 1 else text
    )
