"""The shape of the held part: read back to the bit, strictly, and only where its solids are those of the task."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundle.fuzz_corpus import part_of_all_kinds
from bundle.json_values import JSON
from bundle.sealing import seal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinery.bundle import load_bundle
from refinery.bundle.files import PART
from refinery.errors import BundleError
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle

SLOW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def all_kinds(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose part has solids of every kind, in this order: box, cylinder, hull."""
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "kinds", task, part=part_of_all_kinds(task))


@pytest.fixture
def copy(all_kinds: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(all_kinds, tmp_path / "copy"))


def test_a_part_survives_the_round_trip_to_the_bit(all_kinds: Path, task: Task) -> None:
    first, again = part_of_all_kinds(task), load_bundle(all_kinds).part
    assert (again.symmetry, again.half_size_m, again.extent_m) == (1, (0.006, 0.006), (0.0, task.plug.length_m))
    np.testing.assert_array_equal(again.corners_m, first.corners_m)
    for ours, theirs in zip(first.pieces, again.pieces, strict=True):
        assert (ours.kind, ours.volume_m3) == (theirs.kind, theirs.volume_m3)
        for name in ("centre_m", "half_size_m", "axes", "corners_m"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), name)


def test_the_part_of_another_task_is_refused(copy: Path, good_bundle: Path) -> None:
    raw = json.loads((copy / PART).read_text())
    (copy / PART).write_text(json.dumps(raw | {"task_hash": "0" * 64}))
    with pytest.raises(BundleError, match=r"part\.json: expected SHA-256"):
        load_bundle(copy)
    seal(copy)
    with pytest.raises(BundleError, match=r"part\.json: task_hash: expected .* the task has changed"):
        load_bundle(copy)


def solid(number: int, **values: object) -> Callable[[dict], object]:
    return lambda raw: raw["pieces"][number].update(values)


TURNED = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
EDITS: dict[str, tuple[Callable[[dict], object], str]] = {
    "schema": (lambda raw: raw.update(schema=1), "schema: expected 2, got 1"),
    "unknown key": (lambda raw: raw.update(symetry=2), "expected only the keys.*'symetry'"),
    "missing key": (lambda raw: raw.pop("symmetry"), "symmetry: expected this key"),
    "negative symmetry": (lambda raw: raw.update(symmetry=-1), "symmetry: expected 0 .* to 4, .*got -1"),
    "large symmetry": (lambda raw: raw.update(symmetry=10**400), "symmetry: expected 0 .* to 4"),
    "symmetry as a float": (lambda raw: raw.update(symmetry=2.0), "symmetry: expected int"),
    "symmetry as a truth": (lambda raw: raw.update(symmetry=True), "symmetry: expected int"),
    "no corners": (lambda raw: raw.update(corners_m=[]), "corners_m: expected 1 to 4000 rows of 2"),
    "two corners": (lambda raw: raw.update(corners_m=[[0.006, 0.006]] * 2), "corners_m: expected 3 to 4000 corners"),
    "corners of three": (lambda raw: raw["corners_m"][0].append(0.0), "corners_m: expected .* rows of 2 numbers"),
    "corner as text": (lambda raw: raw["corners_m"][0].__setitem__(0, "0.1"), "corners_m: expected .* rows"),
    "corner far out": (lambda raw: raw["corners_m"].append([0.15, 0.0]), r"corners_m: expected corners within 0\.1 m"),
    "corner of many digits": (lambda raw: raw["corners_m"][0].__setitem__(0, 10**400), "corners_m: expected .* rows"),
    "corners on the axis": (lambda raw: raw.update(corners_m=[[0.0, 0.006]] * 4), "corners_m: expected corners off"),
    "no solids": (lambda raw: raw.update(pieces=[]), "pieces: expected 1 to 4000"),
    "too many solids": (lambda raw: raw.update(pieces=raw["pieces"][:1] * 4001), "pieces: expected at most 4000"),
    "no solid": (lambda raw: raw["pieces"].append("box"), r"pieces\[3\]: expected a solid"),
    "kind": (solid(0, kind="sphere"), r"pieces\[0\]: kind: expected one of box, cylinder, hull"),
    "keys of another kind": (solid(0, kind="cylinder"), r"pieces\[0\]: expected only the keys.*'axes'"),
    "turned inside out": (solid(0, half_size_m=[-0.004, 0.006, 0.025]), r"pieces\[0\]: half_size_m: expected positive"),
    "mirrored": (solid(0, axes=TURNED), r"pieces\[0\]: axes: expected three unit vectors"),
    "skew": (solid(0, axes=[[1.0, 0.1, 0.0], *TURNED[1:]]), r"pieces\[0\]: axes: expected"),
    "one axis": (solid(0, axes=[[1.0, 0.0, 0.0]]), r"pieces\[0\]: axes: expected three unit vectors"),
    "outside": (solid(1, centre_m=[0.001, 0.0, 0.025]), r"pieces\[1\]: expected a solid within the bounds"),
    "flat hull": (solid(2, corners_m=[[0.0, 0.0, 0.0], [0.006, 0.0, 0.0]]), r"pieces\[2\]: corners_m"),
    "flat hull of many": (solid(2, corners_m=[[0.0, 0.0, 0.001 * i] for i in range(9)]), r"pieces\[2\]: corners_m"),
    "volume": (solid(2, volume_m3=1e-3), r"pieces\[2\]: volume_m3: expected"),
    "volume of many digits": (solid(2, volume_m3=10**400), r"pieces\[2\]: volume_m3: expected"),
    "short": (lambda raw: raw.update(pieces=[half_as_long(raw["pieces"][0])]), "pieces: expected solids from the tip"),
}


def half_as_long(solid: dict) -> dict:
    x, y, z = solid["half_size_m"]
    return solid | {"centre_m": [0.0, 0.0, z / 2], "half_size_m": [x, y, z / 2]}


@pytest.mark.parametrize("what", EDITS)
def test_a_consistent_but_wrong_part_is_refused(copy: Path, what: str) -> None:
    edit, match = EDITS[what]
    raw = json.loads((copy / PART).read_text())
    edit(raw)
    (copy / PART).write_text(json.dumps(raw))
    seal(copy)
    with pytest.raises(BundleError, match=match) as caught:
        load_bundle(copy)
    message = str(caught.value)
    assert str(copy / PART) in message and message.isprintable() and len(message) < 1000


@SLOW
@given(data=st.data())
def test_any_value_gives_a_part_or_a_bundle_error(all_kinds: Path, data: st.DataObject, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(all_kinds, tmp_path / "edited", dirs_exist_ok=True))
    raw = json.loads((all_kinds / PART).read_text())
    place = raw if data.draw(st.booleans(), label="outside") else data.draw(st.sampled_from(raw["pieces"]))
    place[data.draw(st.sampled_from(sorted(place)), label="key")] = data.draw(JSON, label="value")
    (bundle / PART).write_text(json.dumps(raw))
    seal(bundle)
    try:
        part = load_bundle(bundle).part
    except BundleError as error:
        assert PART in str(error)
    else:
        assert np.all(np.isfinite(part.corners_m)) and part.extent_m[0] == pytest.approx(0.0, abs=1e-6)
