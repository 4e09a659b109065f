import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon

from refinery_sim.planar import common, minus, mismatch_m2, union

A, B = shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)


def test_operations_are_what_their_names_say():
    assert union([A, B]).area == pytest.approx(6)
    assert common(A, B).area == pytest.approx(2)
    assert minus(A, B).area == pytest.approx(2)
    assert minus(A, B, shapely.box(0, 0, 2, 1)).area == pytest.approx(1)
    assert mismatch_m2(A, B) == pytest.approx(4)
    assert union([]).is_empty and minus(A).area == pytest.approx(4)


@given(st.integers(3, 12), st.floats(0.001, 0.02), st.floats(-3, 3), st.floats(0.001, 0.02))
def test_a_rectangle_laid_on_an_edge_has_nothing_in_common_with_the_polygon(sides, radius, turn, depth):
    """The case that GEOS gets wrong now and then without a grid."""
    angles = turn + 2 * np.pi * np.arange(sides) / sides
    ring = radius * np.c_[np.cos(angles), np.sin(angles)]
    for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        out = depth * np.array([along[1], -along[0]])
        rectangle = Polygon([start - along, start - along + out, end + along + out, end + along])
        assert common(rectangle, Polygon(ring)).area < 1e-13
        assert common(Polygon(ring), rectangle).area < 1e-13
