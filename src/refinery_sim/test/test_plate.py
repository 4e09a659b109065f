import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from sections import SECTIONS, TASK, task_with
from shapely import Polygon

from refinery.errors import ConfigError
from refinery.section import SectionSpec
from refinery_sim.decompose import as_rectangle, convex_parts, is_convex, is_rectilinear, rectangles
from refinery_sim.pieces import plug_pieces
from refinery_sim.planar import common, minus, mismatch_m2, union
from refinery_sim.plate import grown, plate_parts, plate_pieces
from refinery_sim.section import half_size_m, section_shape

PLATE = shapely.box(-0.06, -0.06, 0.06, 0.06)
EXACT_M2 = 1e-12


def inside(piece, points):
    """Which points lie in a piece, to a nanometre."""
    local = (points - piece.centre_m) @ piece.axes
    if piece.kind == "box":
        return np.all(np.abs(local) <= piece.half_size_m + 1e-9, axis=1)
    if piece.kind == "cylinder":
        radius, half = piece.half_size_m
        return (np.hypot(local[:, 0], local[:, 1]) <= radius + 1e-9) & (np.abs(local[:, 2]) <= half + 1e-9)
    faces = ConvexHull(piece.corners_m).equations
    return np.all(local @ faces[:, :3].T + faces[:, 3] <= 1e-9, axis=1)


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("clearance", [0.0002, 0.0005, 0.002])
def test_parts_of_the_plate_leave_exactly_the_grown_section(name, clearance):
    hole = grown(section_shape(SECTIONS[name]), clearance)
    parts = plate_parts(PLATE, hole)
    assert mismatch_m2(union(parts), minus(PLATE, hole)) < EXACT_M2
    assert max(common(part, hole).area for part in parts) < EXACT_M2
    assert all(is_convex(part) for part in parts)


@pytest.mark.parametrize("name", ["rectangle", "square", "l", "t", "cross", "two_prongs", "three_prongs"])
def test_rectilinear_sections_need_boxes_only(name):
    task = task_with(SECTIONS[name], chamfer_m=0.0)
    assert {piece.kind for piece in plate_pieces(task.plug.section, task.socket)} == {"box"}


def test_the_shipped_rectangle_is_four_boxes_on_a_bottom():
    bottom, *walls = plate_pieces(TASK.plug.section, TASK.socket)
    assert bottom.centre_m[2] + bottom.half_size_m[2] == 0
    assert len(walls) == 4
    assert all(wall.kind == "box" and wall.half_size_m[2] == TASK.socket.depth_m / 2 for wall in walls)


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("chamfer", [0.0, 0.001])
def test_solid_is_the_plate_minus_bore_and_chamfer(name, chamfer):
    """Random points near the hole are in a piece exactly where there should be material."""
    task = task_with(SECTIONS[name], chamfer_m=chamfer)
    depth = task.socket.depth_m
    pieces = plate_pieces(task.plug.section, task.socket)
    rng = np.random.default_rng(0)
    z = np.r_[rng.uniform(0, depth, 1500), rng.uniform(depth - max(chamfer, 0.001), depth, 1500)]
    points = np.c_[rng.uniform(-0.012, 0.012, (len(z), 2)), z]
    solid = np.any([inside(piece, points) for piece in pieces], axis=0)
    for point, got in zip(points, solid, strict=True):
        by_m = task.socket.clearance_m + max(0.0, point[2] - (depth - chamfer))
        section = grown(section_shape(task.plug.section), by_m)
        here = shapely.Point(point[:2])
        assert got == (not section.contains(here)) or section.boundary.distance(here) < 2e-9, point


@pytest.mark.parametrize("name", SECTIONS)
def test_nothing_stands_out_of_the_plate(name):
    task = task_with(SECTIONS[name], chamfer_m=0.001)
    corners = np.vstack([piece.corners_m for piece in plate_pieces(task.plug.section, task.socket)])
    assert np.all(np.abs(corners[:, :2]) <= task.socket.plate_half_size_m + 1e-9)
    assert corners[:, 2].max() == pytest.approx(task.socket.depth_m, abs=1e-12)


@pytest.mark.parametrize("name", SECTIONS)
def test_plug_pieces_fill_the_section(name):
    section = SECTIONS[name]
    pieces = plug_pieces(section, length_m=0.05, depth_m=0.025)
    rng = np.random.default_rng(1)
    points = np.c_[rng.uniform(-0.009, 0.009, (2000, 2)), rng.uniform(0, 0.029, 2000)]
    solid = np.any([inside(piece, points) for piece in pieces], axis=0)
    there = shapely.contains_xy(section_shape(section), points[:, :2])
    # The parts of a plug that are round are cylinders, which the polygon in the plate's hole is laid around.
    corners = np.hypot(*points[:, :2].T) > 0.98 * half_size_m(section)[1] if "round" in name else np.zeros(2000, bool)
    assert np.all((solid == there) | (corners & ~solid))


def test_prongs_are_joined_above_the_rim_only():
    for name in ("two_prongs", "three_prongs"):
        *prongs, body = plug_pieces(SECTIONS[name], length_m=0.05, depth_m=0.025)
        assert len(prongs) == len(section_shape(SECTIONS[name]).geoms)
        top = max(prong.corners_m[:, 2].max() for prong in prongs)
        assert body.corners_m[:, 2].min() == pytest.approx(top) and top > 0.025
        assert body.corners_m[:, 2].max() == pytest.approx(0.05)
    with pytest.raises(ConfigError, match=r"plug\.length_m.*prongs are joined"):
        plug_pieces(SECTIONS["two_prongs"], length_m=0.03, depth_m=0.025)


def test_plate_and_chamfer_must_leave_walls():
    large = task_with(SectionSpec(family="square", size_m=(0.11,)), chamfer_m=0.0)
    with pytest.raises(ConfigError, match=r"plate_half_size_m.*walls"):
        plate_pieces(large.plug.section, large.socket)
    # 8 mm between the prongs less 1 mm of clearance leave no wall between two chamfers of 3.6 mm.
    merged = task_with(SECTIONS["two_prongs"], chamfer_m=0.0036)
    with pytest.raises(ConfigError, match=r"chamfer_m.*wall between"):
        plate_pieces(merged.plug.section, merged.socket)


def star(radii, turn):
    angles = turn + 2 * np.pi * np.arange(len(radii)) / len(radii)
    return Polygon(np.c_[np.cos(angles), np.sin(angles)] * np.asarray(radii)[:, None])


@given(st.lists(st.floats(0.004, 0.01), min_size=3, max_size=9), st.floats(-3, 3))
@settings(max_examples=60, deadline=None)
def test_any_polygon_is_split_exactly(radii, turn):
    polygon = star(radii, turn)
    parts = convex_parts(polygon)
    assert all(is_convex(part) for part in parts)
    assert mismatch_m2(union(parts), polygon) < EXACT_M2
    assert sum(part.area for part in parts) == pytest.approx(polygon.area, abs=EXACT_M2)
    hole = grown(shapely.MultiPolygon([polygon]), 0.0005)
    plate = plate_parts(PLATE, hole)
    assert mismatch_m2(union(plate), minus(PLATE, hole)) < EXACT_M2
    assert max(common(part, hole).area for part in plate) < EXACT_M2


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(1, 5)] * 2), min_size=1, max_size=5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_rectilinear_region_is_covered_exactly(boxes, trim):
    region = union(shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes)
    region = shapely.affinity.scale(region, 1e-3, 1e-3, origin=(0, 0))
    assert is_rectilinear(region)
    parts = rectangles(region, trim=trim)
    assert all(as_rectangle(part) is not None for part in parts)
    assert mismatch_m2(union(parts), region) < EXACT_M2


@given(st.floats(-3, 3), st.floats(0.001, 0.02), st.floats(0.001, 0.02))
def test_turned_rectangles_are_recognised(turn, x, y):
    polygon = shapely.affinity.rotate(shapely.box(-x, -y, x, y), turn, use_radians=True)
    middle, half, angle = as_rectangle(polygon)
    assert middle == pytest.approx([0, 0], abs=1e-9)
    again = shapely.affinity.rotate(shapely.box(-half[0], -half[1], half[0], half[1]), angle, use_radians=True)
    assert mismatch_m2(again, polygon) < EXACT_M2
    assert as_rectangle(star([x, y, x, 1.1 * x], turn)) is None
