import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity

from refinery.errors import ConfigError
from refinery.section import FAMILIES, SectionSpec
from refinery_sim.section import ROUND_SIDES, corners_m, half_size_m, section_shape, symmetry

SIZES = {
    "round": (0.008,),
    "rectangle": (0.012, 0.008),
    "square": (0.01,),
    "hexagon": (0.01,),
    "d": (0.01, 0.003),
    "l": (0.014, 0.01, 0.005, 0.004),
    "t": (0.014, 0.012, 0.005, 0.005),
    "cross": (0.014, 0.014, 0.005),
    "keyed_round": (0.01, 0.003, 0.002),
    "two_prongs": (0.002, 0.006, 0.01),
    "three_prongs": (0.002, 0.006, 0.01, 0.01),
}
TRIANGLE = ((0.0, 0.0), (0.01, 0.0), (0.0, 0.01))


def section(family):
    return SectionSpec(family=family, size_m=SIZES[family])


def test_every_family_is_covered_here():
    assert set(SIZES) | {"polygon"} == set(FAMILIES)


@pytest.mark.parametrize(
    ("family", "half", "area", "order"),
    [
        ("round", (0.004, 0.004), ROUND_SIDES * np.tan(np.pi / ROUND_SIDES) * 0.004**2, 0),
        ("rectangle", (0.006, 0.004), 0.012 * 0.008, 2),
        ("square", (0.005, 0.005), 1e-4, 4),
        ("hexagon", (0.005 / np.cos(np.pi / 6), 0.005), 6 * np.tan(np.pi / 6) * 0.005**2, 6),
        ("l", (0.007, 0.005), 0.014 * 0.004 + 0.006 * 0.005, 1),
        ("t", (0.007, 0.006), 0.014 * 0.005 + 0.007 * 0.005, 1),
        ("cross", (0.007, 0.007), 2 * 0.014 * 0.005 - 0.005**2, 4),
        ("two_prongs", (0.006, 0.003), 2 * 0.002 * 0.006, 2),
        ("three_prongs", (0.006, 0.008), 3 * 0.002 * 0.006, 1),
    ],
)
def test_families_have_the_size_area_and_symmetry_asked_for(family, half, area, order):
    found = section(family)
    assert half_size_m(found) == pytest.approx(half, abs=1e-12)
    assert np.abs(corners_m(found)).max(axis=0) == pytest.approx(half, abs=1e-12)
    assert section_shape(found).area == pytest.approx(area, rel=1e-9)
    assert symmetry(found) == order


@pytest.mark.parametrize("family", ["d", "keyed_round"])
def test_what_is_cut_from_or_added_to_a_circle_faces_plus_x(family):
    low_x, low_y, high_x, high_y = section_shape(section(family)).bounds
    assert (low_x, low_y, high_y) == pytest.approx((-0.005, -0.005, 0.005))
    assert high_x == pytest.approx({"d": 0.003, "keyed_round": 0.007}[family])
    assert symmetry(section(family)) == 1


def test_the_round_polygon_contains_the_circle_and_touches_it_in_the_middle_of_its_sides():
    sides = section_shape(section("round")).geoms[0].exterior
    assert shapely.distance(shapely.Point(0, 0), sides) == pytest.approx(0.004, abs=1e-12)


@given(st.integers(3, 9), st.floats(0.002, 0.02), st.floats(-3, 3))
def test_symmetry_of_a_regular_polygon_is_its_number_of_sides(sides, radius, turn):
    angles = turn + 2 * np.pi * np.arange(sides) / sides
    ring = tuple((radius * np.cos(a), radius * np.sin(a)) for a in angles)
    assert symmetry(SectionSpec(family="polygon", rings_m=(ring,))) == sides


@pytest.mark.parametrize("family", SIZES)
def test_no_higher_symmetry_than_told(family):
    shape = section_shape(section(family))
    for order in range(2, 20):
        turned = affinity.rotate(shape, 360 / order, origin=(0, 0))
        same = turned.symmetric_difference(shape).area < 1e-9 * shape.area
        assert same == (symmetry(section(family)) % order == 0) or family == "round"


def test_polygon_with_a_hole_and_a_second_outline():
    outer = ((-0.01, -0.01), (0.01, -0.01), (0.01, 0.01), (-0.01, 0.01))
    hole = ((-0.005, -0.005), (-0.005, 0.005), (0.005, 0.005), (0.005, -0.005))
    second = tuple((x + 0.03, y) for x, y in outer)
    found = SectionSpec(family="polygon", rings_m=(outer, hole, second))
    assert section_shape(found).area == pytest.approx(4e-4 - 1e-4 + 4e-4)
    assert len(section_shape(found).geoms) == 2
    assert half_size_m(found) == pytest.approx((0.04, 0.01))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"family": "square", "size_m": (0.5,)}, "size_m: expected a section within 0.1 m of the axis"),
        ({"family": "polygon", "rings_m": (TRIANGLE[::-1],)}, "rings_m: expected a counter-clockwise outline"),
        (
            {"family": "polygon", "rings_m": (((0, 0), (0.01, 0.01), (0.01, 0), (0, 0.01)),)},
            "rings_m: expected rings that do not cross themselves",
        ),
        ({"family": "polygon", "rings_m": (TRIANGLE, TRIANGLE)}, "rings_m: expected outlines that do not overlap"),
        (
            {"family": "polygon", "rings_m": (TRIANGLE, ((0.05, 0.05), (0.05, 0.06), (0.06, 0.06)))},
            "rings_m: expected clockwise rings (holes) inside an outline",
        ),
    ],
)
def test_measures_that_make_no_shape_are_refused(raw, words):
    with pytest.raises(ConfigError) as caught:
        section_shape(SectionSpec(**raw))
    assert words in str(caught.value) and "got" in str(caught.value)
