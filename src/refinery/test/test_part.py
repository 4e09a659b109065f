"""What a part's geometry accepts, and what follows from it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery.part import PartGeometry
from refinery.paths import config_file
from refinery.piece import box, cylinder, hull
from refinery.task import Task, load_task
from refinery.testing.parts import plain_part


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task(config_file("tasks", "peg_rect"))


@pytest.fixture(scope="module")
def part(task: Task) -> PartGeometry:
    return plain_part(task)


def test_a_plain_part_is_the_tasks_box(task: Task, part: PartGeometry) -> None:
    x, y = task.plug.section.size_m
    assert part.half_size_m == (x / 2, y / 2)
    assert part.extent_m == (0.0, task.plug.length_m)
    assert part.symmetry == 2
    assert [piece.kind for piece in part.pieces] == ["box"]
    assert part.pieces[0].volume_m3 == pytest.approx(x * y * task.plug.length_m)


def test_a_part_that_is_not_plain_must_be_given() -> None:
    with pytest.raises(ConfigError, match=r"plug\.section\.family.*part_geometry"):
        plain_part(load_task(config_file("tasks", "t_post")))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symmetry": 5}, "symmetry: expected 0"),
        ({"symmetry": -1}, "symmetry: expected 0"),
        ({"corners_m": np.zeros((4, 3))}, "corners_m: expected 3 to 4000"),
        ({"corners_m": np.zeros((4, 2))}, "corners_m: expected corners off the axis"),
        ({"corners_m": np.full((4, 2), np.nan)}, "corners_m: expected corners within"),
        ({"pieces": ()}, "pieces: expected 1 to 4000"),
        ({"pieces": (cylinder(np.array([0, 0, 0.01]), np.array([0.05, 0.01])),)}, r"pieces\[0\]: expected a solid"),
        ({"pieces": (cylinder(np.zeros(3), np.array([0.001, 0.001])),)}, r"pieces\[0\]: expected a solid"),
    ],
)
def test_what_cannot_be_a_part_is_refused(part: PartGeometry, changes: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        dataclasses.replace(part, **changes)


def test_bounds_of_every_kind_of_solid() -> None:
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    for piece, low, high in (
        (box(np.array([1.0, 0.0, 0.0]), np.array([0.1, 0.2, 0.3]), quarter), (0.8, -0.1, -0.3), (1.2, 0.1, 0.3)),
        (cylinder(np.array([0.0, 0.0, 1.0]), np.array([0.1, 0.5])), (-0.1, -0.1, 0.5), (0.1, 0.1, 1.5)),
        (hull(np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]]), 1.0), (0, 0, 0), (1, 2, 3)),
    ):
        np.testing.assert_allclose(piece.bounds_m, (low, high), atol=1e-12)
