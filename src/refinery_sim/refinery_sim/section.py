"""The shape of a plug's section, and what follows from it: extent, convex hull and rotational symmetry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon, affinity

from refinery.config import check
from refinery.rotations import Array
from refinery.section import MAX_REACH_M, Ring, SectionSpec
from refinery_sim.planar import common, minus, mismatch_m2, union

ROUND_SIDES = 16
"""Sides of the regular polygon that stands for a circle: tangent to the circle at the middle of each side, one of which
faces +x. Gaps between parallel sides are exact; a corner of the polygon is 2 % of the radius outside the circle."""
MIN_WIDTH_M = 5e-4
"""Narrowest section, [m]: thinner than that nothing is gripped, and pieces vanish in the rounding of their corners."""
SYMMETRY_TOLERANCE = 1e-9
"""Area of the difference, as a share of the section's, under which a turned section counts as the same."""
_KEPT = 64
"""Sections whose shape and symmetry are kept: a training asks for those of its one section at every step."""


@lru_cache(maxsize=_KEPT)
def section_shape(section: SectionSpec) -> MultiPolygon:
    """Return the shape of a section, [m]; outlines counter-clockwise, holes clockwise.

    Raises:
        ConfigError: Its measures or rings make no shape of one or more separate polygons near the axis.
    """
    if section.family == "polygon":
        _check_rings(section.rings_m)
        found = _free(section.rings_m)
    else:
        found = _BUILDERS[section.family](*section.size_m)
    parts = found.geoms if isinstance(found, MultiPolygon) else [found]
    shape = MultiPolygon([shapely.orient_polygons(part) for part in parts])
    _check_shape(shape, "size_m" if section.size_m else "rings_m", section.size_m or section.rings_m)
    return shape


def half_size_m(section: SectionSpec) -> tuple[float, float]:
    """Return the largest distance of a section from the plug's axis along x and y, [m]."""
    low_x, low_y, high_x, high_y = section_shape(section).bounds
    return max(-low_x, high_x), max(-low_y, high_y)


def corners_m(section: SectionSpec) -> Array:
    """Return the corners of a section's convex hull, shape (N, 2), [m]."""
    return np.asarray(shapely.get_coordinates(section_shape(section).convex_hull)[:-1])


@lru_cache(maxsize=_KEPT)
def symmetry(section: SectionSpec) -> int:
    """Return the order of the rotational symmetry about the axis: 1 if only one way round fits, 0 if it is round."""
    if section.family == "round":
        return 0
    shape = section_shape(section)
    corners = sum(len(ring.coords) - 1 for part in shape.geoms for ring in (part.exterior, *part.interiors))
    return next(order for order in range(corners, 0, -1) if _fits_turned(shape, 2 * np.pi / order))


def _fits_turned(shape: MultiPolygon, angle_rad: float) -> bool:
    turned = affinity.rotate(shape, angle_rad, origin=(0, 0), use_radians=True)
    return mismatch_m2(shape, turned) < SYMMETRY_TOLERANCE * float(shape.area)


def _box(low_x: float, low_y: float, high_x: float, high_y: float) -> Polygon:
    return shapely.box(low_x, low_y, high_x, high_y)


def _middle(shape: Polygon) -> Polygon:
    """Move the middle of the bounding box to the origin."""
    low_x, low_y, high_x, high_y = shape.bounds
    return affinity.translate(shape, -(low_x + high_x) / 2, -(low_y + high_y) / 2)


def _regular(across: float, sides: int) -> Polygon:
    """Return a regular polygon of an even number of sides, one of them facing +x; ``across`` opposite sides."""
    angles = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    radius = across / 2 / np.cos(np.pi / sides)
    return Polygon(radius * np.column_stack([np.cos(angles), np.sin(angles)]))


def _round(diameter: float) -> Polygon:
    return _regular(diameter, ROUND_SIDES)


def _rectangle(x: float, y: float) -> Polygon:
    return _box(-x / 2, -y / 2, x / 2, y / 2)


def _square(edge: float) -> Polygon:
    return _rectangle(edge, edge)


def _hexagon(across_flats: float) -> Polygon:
    return affinity.rotate(_regular(across_flats, 6), 90, origin=(0, 0))


def _d(diameter: float, flat: float) -> Polygon:
    return common(_round(diameter), _box(-diameter, -diameter, flat, diameter))


def _l(x: float, y: float, width_x: float, width_y: float) -> Polygon:
    return _middle(union([_box(0, 0, width_x, y), _box(0, 0, x, width_y)]))


def _t(x: float, y: float, bar: float, stem: float) -> Polygon:
    return _middle(union([_box(-x / 2, -bar, x / 2, 0), _box(-stem / 2, -y, stem / 2, 0)]))


def _cross(x: float, y: float, width: float) -> Polygon:
    return union([_rectangle(x, width), _rectangle(width, y)])


def _keyed_round(diameter: float, key_width: float, key_height: float) -> Polygon:
    return union([_round(diameter), _box(0, -key_width / 2, diameter / 2 + key_height, key_width / 2)])


def _two_prongs(x: float, y: float, spacing: float) -> MultiPolygon:
    prong = _rectangle(x, y)
    return MultiPolygon([affinity.translate(prong, sign * spacing / 2) for sign in (-1, 1)])


def _three_prongs(x: float, y: float, spacing_x: float, spacing_y: float) -> MultiPolygon:
    pair = [affinity.translate(prong, yoff=-spacing_y / 2) for prong in _two_prongs(x, y, spacing_x).geoms]
    return MultiPolygon([*pair, affinity.translate(_rectangle(x, y), yoff=spacing_y / 2)])


_BUILDERS: dict[str, Callable[..., Polygon | MultiPolygon]] = {
    "round": _round,
    "rectangle": _rectangle,
    "square": _square,
    "hexagon": _hexagon,
    "d": _d,
    "l": _l,
    "t": _t,
    "cross": _cross,
    "keyed_round": _keyed_round,
    "two_prongs": _two_prongs,
    "three_prongs": _three_prongs,
}
"""Builder of every family of :data:`refinery.section.FAMILIES` but free polygons, from its measures."""


def _free(rings: Sequence[Ring]) -> Polygon | MultiPolygon:
    """Build a shape from outlines (counter-clockwise) and holes (clockwise)."""
    outlines = [Polygon(ring) for ring in rings if shapely.is_ccw(shapely.LinearRing(ring))]
    holes = [Polygon(ring) for ring in rings if not shapely.is_ccw(shapely.LinearRing(ring))]
    return minus(union(outlines), *holes)


def _check_rings(rings: Sequence[Ring]) -> None:
    for ring in rings:
        check(bool(Polygon(ring).is_valid), "rings_m", "rings that do not cross themselves", ring)
    outlines = [Polygon(ring) for ring in rings if shapely.is_ccw(shapely.LinearRing(ring))]
    check(len(outlines) > 0, "rings_m", "a counter-clockwise outline (clockwise rings are holes)", rings)
    holes = [Polygon(ring) for ring in rings if not shapely.is_ccw(shapely.LinearRing(ring))]
    for hole in holes:
        inside = any(outline.contains_properly(hole) for outline in outlines)
        check(inside, "rings_m", "clockwise rings (holes) inside an outline", tuple(hole.exterior.coords))
    apart = sum(part.area for part in outlines) <= union(outlines).area * (1 + 1e-9)
    check(apart, "rings_m", "outlines that do not overlap", rings)


def _check_shape(shape: MultiPolygon, key: str, got: object) -> None:
    check(not shape.is_empty and bool(shape.is_valid), key, "a section of one or more separate polygons", got)
    low_x, low_y, high_x, high_y = shape.bounds
    reach = max(-low_x, -low_y, high_x, high_y)
    check(reach <= MAX_REACH_M, key, f"a section within {MAX_REACH_M:g} m of the axis", got)
    width = min(high_x - low_x, high_y - low_y)
    check(width >= MIN_WIDTH_M, key, f"a section at least {1e3 * MIN_WIDTH_M:g} mm wide", got)
