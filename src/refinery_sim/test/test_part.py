"""The shape of the held part as it goes into a bundle, for every family of sections."""

import numpy as np
import pytest
from sections import SECTIONS, TASK, task_with

from refinery.bundle import load_bundle
from refinery.paths import config_file, share_dir
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery.testing.parts import plain_part
from refinery_sim.part import part_geometry
from refinery_sim.section import corners_m, half_size_m, symmetry

TASKS = sorted(file.stem for file in (share_dir() / "config" / "tasks").glob("*.yaml"))


@pytest.mark.parametrize("name", SECTIONS)
def test_a_part_is_its_section_and_its_pieces(name):
    part = part_geometry(task_with(SECTIONS[name]))
    assert part.symmetry == symmetry(SECTIONS[name])
    assert part.half_size_m == half_size_m(SECTIONS[name])
    assert np.array_equal(part.corners_m, corners_m(SECTIONS[name]))
    assert part.extent_m == pytest.approx((0.0, TASK.plug.length_m), abs=1e-12)
    reach = np.max([np.abs(piece.bounds_m)[:, :2].max(axis=0) for piece in part.pieces], axis=0)
    assert reach == pytest.approx(part.half_size_m, abs=1e-9)


@pytest.mark.parametrize("name", ["rectangle", "square"])
def test_a_plain_part_needs_no_polygons(name):
    task = task_with(SECTIONS[name])
    plain, exact = plain_part(task), part_geometry(task)
    assert plain.symmetry == exact.symmetry
    np.testing.assert_allclose(sorted(plain.corners_m.tolist()), sorted(exact.corners_m.tolist()), atol=1e-12)
    (ours,), (theirs,) = plain.pieces, exact.pieces
    assert (ours.kind, ours.volume_m3) == (theirs.kind, pytest.approx(theirs.volume_m3))
    np.testing.assert_allclose(ours.bounds_m, theirs.bounds_m, atol=1e-12)


@pytest.mark.parametrize("name", [*TASKS, *SECTIONS])
def test_a_bundle_of_every_task_has_its_part_to_the_bit(name, tmp_path):
    task = load_task(config_file("tasks", name)) if name in TASKS else task_with(SECTIONS[name])
    part = part_geometry(task)
    again = load_bundle(tiny_bundle(tmp_path / "b", task, part=part)).part
    assert (again.symmetry, again.half_size_m) == (part.symmetry, part.half_size_m)
    for ours, theirs in zip(part.pieces, again.pieces, strict=True):
        assert (ours.kind, ours.volume_m3) == (theirs.kind, theirs.volume_m3)
        for field in ("centre_m", "half_size_m", "axes", "corners_m"):
            assert np.array_equal(getattr(ours, field), getattr(theirs, field)), field
