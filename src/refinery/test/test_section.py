import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity

from refinery.config import from_mapping, to_mapping
from refinery.errors import ConfigError
from refinery.section import FAMILIES, ROUND_SIDES, SectionSpec

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
    ("family", "half", "area", "symmetry"),
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
def test_families_have_the_size_area_and_symmetry_asked_for(family, half, area, symmetry):
    found = section(family)
    assert found.half_size_m == pytest.approx(half, abs=1e-12)
    assert found.shape.area == pytest.approx(area, rel=1e-9)
    assert found.symmetry == symmetry


@pytest.mark.parametrize("family", ["d", "keyed_round"])
def test_what_is_cut_from_or_added_to_a_circle_faces_plus_x(family):
    low_x, low_y, high_x, high_y = section(family).shape.bounds
    assert (low_x, low_y, high_y) == pytest.approx((-0.005, -0.005, 0.005))
    assert high_x == pytest.approx({"d": 0.003, "keyed_round": 0.007}[family])
    assert section(family).symmetry == 1


def test_the_round_polygon_contains_the_circle_and_touches_it_in_the_middle_of_its_sides():
    sides = section("round").shape.geoms[0].exterior
    assert shapely.distance(shapely.Point(0, 0), sides) == pytest.approx(0.004, abs=1e-12)


@given(st.integers(3, 9), st.floats(0.002, 0.02), st.floats(-3, 3))
def test_symmetry_of_a_regular_polygon_is_its_number_of_sides(sides, radius, turn):
    angles = turn + 2 * np.pi * np.arange(sides) / sides
    ring = tuple((radius * np.cos(a), radius * np.sin(a)) for a in angles)
    assert SectionSpec(family="polygon", rings_m=(ring,)).symmetry == sides


@pytest.mark.parametrize("family", SIZES)
def test_no_higher_symmetry_than_told(family):
    found = section(family)
    for order in range(2, 20):
        turned = affinity.rotate(found.shape, 360 / order, origin=(0, 0))
        same = turned.symmetric_difference(found.shape).area < 1e-9 * found.shape.area
        assert same == (found.symmetry % order == 0) or family == "round"


def test_polygon_with_a_hole_and_a_second_outline():
    outer = ((-0.01, -0.01), (0.01, -0.01), (0.01, 0.01), (-0.01, 0.01))
    hole = ((-0.005, -0.005), (-0.005, 0.005), (0.005, 0.005), (0.005, -0.005))
    second = tuple((x + 0.03, y) for x, y in outer)
    found = SectionSpec(family="polygon", rings_m=(outer, hole, second))
    assert found.shape.area == pytest.approx(4e-4 - 1e-4 + 4e-4)
    assert len(found.shape.geoms) == 2
    assert found.half_size_m == pytest.approx((0.04, 0.01))


def test_yaml_and_back():
    for family, size in SIZES.items():
        spec = SectionSpec(family=family, size_m=size)
        assert from_mapping(to_mapping(spec), SectionSpec, source="x") == spec
    spec = SectionSpec(family="polygon", rings_m=(TRIANGLE,))
    assert from_mapping(to_mapping(spec), SectionSpec, source="x") == spec


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"family": "oval", "size_m": [0.01]}, "family: expected one of round, rectangle"),
        ({"family": "rectangle", "size_m": [0.01]}, "size_m: expected 2 positive lengths (x, y)"),
        ({"family": "square", "size_m": [-0.01]}, "size_m: expected 1 positive lengths (edge)"),
        ({"family": "square", "size_m": [0.5]}, "within 0.1 m of the axis"),
        ({"family": "d", "size_m": [0.01, 0.006]}, "distance of the flat from the axis"),
        ({"family": "l", "size_m": [0.01, 0.01, 0.01, 0.004]}, "thinner than the outer size"),
        ({"family": "t", "size_m": [0.01, 0.01, 0.004, 0.02]}, "thinner than the outer size"),
        ({"family": "cross", "size_m": [0.01, 0.01, 0.01]}, "thinner than the outer size"),
        ({"family": "keyed_round", "size_m": [0.01, 0.006, 0.002]}, "narrower than half the diameter"),
        ({"family": "two_prongs", "size_m": [0.01, 0.004, 0.008]}, "spacing"),
        ({"family": "three_prongs", "size_m": [0.002, 0.01, 0.008, 0.008]}, "spacings"),
        ({"family": "round", "size_m": [0.01], "rings_m": [TRIANGLE]}, "rings_m: expected nothing"),
        ({"family": "polygon"}, "rings_m: expected at least one outline"),
        ({"family": "polygon", "rings_m": [TRIANGLE[:2]]}, "at least 3 corners"),
        ({"family": "polygon", "rings_m": [TRIANGLE[::-1]]}, "a counter-clockwise outline"),
        ({"family": "polygon", "rings_m": [[(0, 0), (0.01, 0.01), (0.01, 0), (0, 0.01)]]}, "do not cross themselves"),
        ({"family": "polygon", "rings_m": [TRIANGLE, TRIANGLE]}, "outlines that do not overlap"),
        ({"family": "polygon", "rings_m": [TRIANGLE, [(1, 1), (1, 2), (2, 2)]]}, "inside an outline"),
    ],
)
def test_errors_name_field_expected_and_got(raw, words):
    with pytest.raises(ConfigError) as caught:
        from_mapping(raw, SectionSpec, source="task.yaml", prefix="plug.section")
    text = str(caught.value)
    assert text.startswith("task.yaml: plug.section.") and words in text and "got" in text
