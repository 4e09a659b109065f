"""Sequences: the shipped ones load, and every mistake is one error that names its key."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from refinery import strict_yaml
from refinery.errors import ConfigError
from refinery.paths import config_file, share_dir
from refinery.sequence.bundles import bundled_tasks, shipped_bundles
from refinery.sequence.grasp_spec import JAWS_M
from refinery.sequence.sequence import MAX_PARTS, Sequence, load_sequence

SHIPPED = sorted(path.stem for path in (share_dir() / "config" / "sequences").glob("*.yaml"))


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    """Block and key as its file says it."""
    content: dict[str, Any] = strict_yaml.read(config_file("sequences", "block_key"))
    return content


def loaded(raw: dict[str, Any], folder: Path) -> Sequence:
    """Load what a file with this content says."""
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return load_sequence(path)


def edited(raw: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a copy with one value changed; indices and names are separated by dots."""
    result = copy.deepcopy(raw)
    *path, last = key.split(".")
    place: Any = result
    for name in path:
        place = place[int(name) if name.isdigit() else name]
    place[int(last) if last.isdigit() else last] = value
    return result


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_sequence_loads_and_its_hash_does_not_depend_on_the_layout(name: str, tmp_path: Path) -> None:
    sequence = load_sequence(name)
    again = loaded(strict_yaml.read(config_file("sequences", name)), tmp_path)
    assert sequence.name == name
    assert again.hash() == sequence.hash()
    assert len(sequence.hash()) == 64


@pytest.mark.parametrize(
    ("name", "top_mm"),
    [
        ("block_key", {"block": (0, 0, -15), "key": (0, 5.3, -15)}),
        ("sleeves", {"outer": (0, 0, -10), "inner": (0, 0, -10), "core": (0, 0, -10)}),
        (
            "gearbox",
            {
                "bushing_left": (-22, 0, -12),
                "shaft_right": (22, 0, -12),
                "gear_left": (-22, 0, 22),
                "cover": (0, 0, 32),
            },
        ),
    ],
)
def test_seats_in_the_base(name: str, top_mm: dict[str, tuple[float, float, float]]) -> None:
    seats = load_sequence(name).nominal_seats()
    for part, expected in top_mm.items():
        np.testing.assert_allclose(seats[part].pos_m[0] * 1000, expected, atol=1e-9)


def test_a_fixed_socket_is_taught_in_the_frame_of_the_arm(raw: dict[str, Any], tmp_path: Path) -> None:
    fixed = edited(raw, "steps.0.socket", {"mode": "fixed", "xyz_m": [0.5, 0.0, 0.085]})
    seat = loaded(fixed, tmp_path).nominal_seats()["block"]
    np.testing.assert_allclose(seat.pos_m[0], [0.0, 0.0, -0.015], atol=1e-12)


@pytest.mark.parametrize(
    ("key", "value", "at"),
    [
        ("steps.1.socket.part", "blok", "steps[1].socket.part"),
        ("steps.0.socket", {"mode": "part", "part": "key", "xyz_m": [0.0, 0.0, 0.0]}, "steps[0].socket.part"),
        ("steps.1.socket.part", "key", "steps[1].socket.part"),
        ("steps.1.socket.mode", "frame", "steps[1].socket.part"),
        ("steps.1.socket.mode", "glued", "steps[1].socket.mode"),
        ("steps.1.socket.axis", "-z", "steps[1].socket.axis"),
        ("steps.0.on_failure", {"then": "skip"}, "steps[0].on_failure.then"),
        ("steps.0.on_failure", {"then": "hope"}, "steps[0].on_failure.then"),
        ("steps.0.on_failure", {"retry": 11}, "steps[0].on_failure.retry"),
        ("steps.0.grasp.width_m", JAWS_M + 0.01, "steps[0].grasp.width_m"),
        ("steps.0.grasp.width_m", JAWS_M, "steps[0].grasp.open_by_m"),
        ("steps.0.grasp", {"force_n": 20.0}, "steps[0].grasp.width_m"),
        ("steps.0.grasp.force_n", 0.0, "steps[0].grasp.force_n"),
        ("steps.1.name", "block", "steps[1].name"),
        ("steps.1.part", "block", "steps[1].part"),
        ("steps.1.part", "base", "steps[1].part"),
        ("steps.1.needs", ["blok"], "steps[1].needs"),
        ("steps.0.needs", ["key"], "steps[0].needs"),
        ("steps.0.seats_rad", [], "steps[0].seats_rad"),
        ("steps.0.seats_rad", [180.0], "steps[0].seats_rad"),
        ("steps.0.tray.xyz_m", [450.0, 0.0, 60.0], "steps[0].tray.xyz_m"),
        ("base.pockets.0.centre_m", [0.04, 0.0], "base.pockets[0]"),
        ("base.pockets.0.depth_m", 0.05, "base.pockets[0].depth_m"),
        ("steps", [], "steps"),
        ("steps.0.wdth", 1, "steps[0].wdth"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_key(raw: dict[str, Any], tmp_path: Path, key: str, value: Any, at: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(edited(raw, key, value), tmp_path)
    assert caught.value.key == at
    assert caught.value.source == str(tmp_path / "own.yaml")


def test_more_than_eight_parts_are_refused(raw: dict[str, Any], tmp_path: Path) -> None:
    def with_steps(count: int) -> dict[str, Any]:
        step = raw["steps"][0]
        return raw | {"steps": [copy.deepcopy(step) | {"name": f"s{i}", "part": f"p{i}"} for i in range(count)]}

    assert len(loaded(with_steps(MAX_PARTS - 1), tmp_path).steps) == MAX_PARTS - 1
    with pytest.raises(ConfigError) as caught:
        loaded(with_steps(MAX_PARTS), tmp_path)
    assert caught.value.key == "steps"


def test_a_part_that_nothing_rests_on_may_be_skipped(raw: dict[str, Any], tmp_path: Path) -> None:
    assert loaded(edited(raw, "steps.1.on_failure", {"then": "skip"}), tmp_path).steps[1].on_failure.then == "skip"


def test_a_change_changes_the_hash(raw: dict[str, Any], tmp_path: Path) -> None:
    other = loaded(edited(raw, "steps.1.grasp.force_n", 31.0), tmp_path)
    assert other.hash() != load_sequence("block_key").hash()


ISAAC = (share_dir() / "config" / "grasps" / "block_key.yaml").read_text(encoding="utf-8")


def filed(raw: dict[str, Any], folder: Path, content: str = ISAAC) -> Sequence:
    """The sequence with the grasps of a file."""
    (folder / "grasps.yaml").write_text(content, encoding="utf-8")
    for i, part in enumerate(("block", "key")):
        raw = edited(raw, f"steps.{i}.grasp", {"file": "grasps.yaml", "grasp": part})
    return loaded(raw, folder)


def test_a_grasp_file_says_width_and_pose_and_counts_in_the_hash(raw: dict[str, Any], tmp_path: Path) -> None:
    sequence = filed(raw, tmp_path)
    for own, step in zip(load_sequence("block_key").steps, sequence.steps, strict=True):
        assert step.grasp.held_m == pytest.approx(own.grasp.held_m)
        assert step.grasp.open_m == pytest.approx(own.grasp.open_m)
    assert sequence.hash() != load_sequence("block_key").hash()
    assert sequence.hash() != filed(raw, tmp_path, ISAAC.replace("0.1324", "0.1325")).hash()
    bundled_tasks(sequence, shipped_bundles())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.0, 0.1324]", "0.0, 0.1424]"),
        ("[0.0, 0.0, 0.1324", "[0.003, 0.0, 0.1324"),
        ("{w: 0.0, xyz: [1.0, 0.0, 0.0]}", "{w: 0.0, xyz: [0.70711, 0.70711, 0.0]}"),
    ],
)
def test_a_part_that_is_held_otherwise_than_its_policy_knows_is_refused(
    raw: dict[str, Any], tmp_path: Path, old: str, new: str
) -> None:
    sequence = filed(raw, tmp_path, ISAAC.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        bundled_tasks(sequence, shipped_bundles())
    assert caught.value.key == "steps[0].grasp.hand"


@pytest.mark.parametrize(
    ("content", "grasp", "key"),
    [
        (ISAAC.replace("0.015", "0.041"), "block", "grasps.block.cspace_position"),
        (ISAAC.replace("panda_finger_joint1", "joint"), "block", "grasps.block.cspace_position"),
        (ISAAC.replace("0.1324]", "high]"), "block", "grasps.block.position"),
        (ISAAC.replace("[1.0, 0.0, 0.0]", "[1.1, 0.0, 0.0]"), "block", "grasps.block.orientation"),
        (ISAAC.replace("{w: 0.0, xyz: [1.0,", "{xyz: [1.0,"), "block", "grasps.block.orientation.w"),
        (ISAAC, "grasp_7", "grasps"),
        (ISAAC.replace("version: 1.0", "version: 2.0"), "block", "format_version"),
        (ISAAC.replace("isaac_grasp\nformat", "other\nformat"), "block", "format"),
        ("[]", "block", "format"),
        (None, "block", ""),
    ],
)
def test_a_grasp_file_that_cannot_be_used(
    raw: dict[str, Any], tmp_path: Path, content: str | None, grasp: str, key: str
) -> None:
    if content is not None:
        (tmp_path / "grasps.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        loaded(edited(raw, "steps.0.grasp", {"file": "grasps.yaml", "grasp": grasp}), tmp_path)
    assert (caught.value.source, caught.value.key) == (str(tmp_path / "grasps.yaml"), key)
