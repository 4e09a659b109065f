"""Cross-sections of plugs: parametric families and free polygons, as exact shapes (``plug.section`` of a task)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, affinity

from refinery.config import check
from refinery.planar import common, minus, mismatch_m2, union

Ring = tuple[tuple[float, float], ...]

ROUND_SIDES = 16
"""Sides of the regular polygon that stands for a circle: tangent to the circle at the middle of each side, one of which
faces +x. Gaps between parallel sides are exact; a corner of the polygon is 2 % of the radius outside the circle."""
SYMMETRY_TOLERANCE = 1e-9
"""Area of the difference, as a share of the section's, under which a turned section counts as the same."""


@dataclass(frozen=True, kw_only=True)
class SectionSpec:
    """A plug's cross-section in the xy plane of its frame; the gripper's pads close along y.

    The plug's axis (the origin) is the circle's centre where there is a circle, and the middle of the bounding box for
    every other family but ``polygon``, whose rings are taken as they are.
    """

    family: str
    """Name of the family, one of :data:`FAMILIES`."""
    size_m: tuple[float, ...] = ()
    """The family's measures in the order of its entry in :data:`FAMILIES`, [m]."""
    rings_m: tuple[Ring, ...] = ()
    """``polygon`` only: corners (x, y) of its outlines (counter-clockwise) and holes (clockwise), [m]."""

    def __post_init__(self) -> None:
        """Validate the family, its measures and the shape they make."""
        check(self.family in FAMILIES, "family", f"one of {', '.join(FAMILIES)}", self.family)
        names, _ = FAMILIES[self.family]
        expected = f"{len(names)} positive lengths ({', '.join(names)})" if names else "nothing (a polygon has rings_m)"
        check(len(self.size_m) == len(names) and all(v > 0 for v in self.size_m), "size_m", expected, self.size_m)
        if self.family == "polygon":
            _check_rings(self.rings_m)
        else:
            check(not self.rings_m, "rings_m", f"nothing (a {self.family} has size_m)", self.rings_m)
        _check_shape(self.shape, "size_m" if names else "rings_m", self.size_m or self.rings_m)

    @cached_property
    def shape(self) -> MultiPolygon:
        """The section, [m]; outlines counter-clockwise, holes clockwise."""
        _, build = FAMILIES[self.family]
        found = _free(self.rings_m) if build is None else build(*self.size_m)
        parts = found.geoms if isinstance(found, MultiPolygon) else [found]
        return MultiPolygon([shapely.orient_polygons(part) for part in parts])

    @property
    def half_size_m(self) -> tuple[float, float]:
        """Largest distance of the section from the plug's axis along x and y, [m]."""
        low_x, low_y, high_x, high_y = self.shape.bounds
        return max(-low_x, high_x), max(-low_y, high_y)

    @cached_property
    def corners_m(self) -> NDArray[np.float64]:
        """Corners of the section's convex hull, shape (N, 2), [m]."""
        return np.asarray(shapely.get_coordinates(self.shape.convex_hull)[:-1])

    @cached_property
    def symmetry(self) -> int:
        """Order of the rotational symmetry about the axis (1: only one way round fits); 0 means every angle (round)."""
        if self.family == "round":
            return 0
        corners = sum(len(ring.coords) - 1 for part in self.shape.geoms for ring in (part.exterior, *part.interiors))
        return next(order for order in range(corners, 0, -1) if self._fits_turned(2 * np.pi / order))

    def _fits_turned(self, angle_rad: float) -> bool:
        turned = affinity.rotate(self.shape, angle_rad, origin=(0, 0), use_radians=True)
        return mismatch_m2(self.shape, turned) < SYMMETRY_TOLERANCE * float(self.shape.area)


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
    check(flat < diameter / 2, "size_m", "a distance of the flat from the axis under half the diameter", flat)
    return common(_round(diameter), _box(-diameter, -diameter, flat, diameter))


def _l(x: float, y: float, width_x: float, width_y: float) -> Polygon:
    check(width_x < x and width_y < y, "size_m", "arms thinner than the outer size", (x, y, width_x, width_y))
    return _middle(union([_box(0, 0, width_x, y), _box(0, 0, x, width_y)]))


def _t(x: float, y: float, bar: float, stem: float) -> Polygon:
    check(bar < y and stem < x, "size_m", "a bar and a stem thinner than the outer size", (x, y, bar, stem))
    return _middle(union([_box(-x / 2, -bar, x / 2, 0), _box(-stem / 2, -y, stem / 2, 0)]))


def _cross(x: float, y: float, width: float) -> Polygon:
    check(width < min(x, y), "size_m", "arms thinner than the outer size", (x, y, width))
    return union([_rectangle(x, width), _rectangle(width, y)])


def _keyed_round(diameter: float, key_width: float, key_height: float) -> Polygon:
    check(key_width < diameter / 2, "size_m", "a key narrower than half the diameter", key_width)
    return union([_round(diameter), _box(0, -key_width / 2, diameter / 2 + key_height, key_width / 2)])


def _two_prongs(x: float, y: float, spacing: float) -> MultiPolygon:
    check(x < spacing, "size_m", "a spacing of the prongs' middles above their width", (x, spacing))
    prong = _rectangle(x, y)
    return MultiPolygon([affinity.translate(prong, sign * spacing / 2) for sign in (-1, 1)])


def _three_prongs(x: float, y: float, spacing_x: float, spacing_y: float) -> MultiPolygon:
    check(x < spacing_x and y < spacing_y, "size_m", "spacings of the prongs' middles above their size", (x, y))
    pair = [affinity.translate(prong, yoff=-spacing_y / 2) for prong in _two_prongs(x, y, spacing_x).geoms]
    return MultiPolygon([*pair, affinity.translate(_rectangle(x, y), yoff=spacing_y / 2)])


FAMILIES: dict[str, tuple[tuple[str, ...], Callable[..., Polygon | MultiPolygon] | None]] = {
    "round": (("diameter",), _round),
    "rectangle": (("x", "y"), _rectangle),
    "square": (("edge",), _square),
    # Two of its sides face +y and -y: the gripper's pads.
    "hexagon": (("across flats",), _hexagon),
    # The flat faces +x.
    "d": (("diameter", "distance of the flat from the axis"), _d),
    # The corner where the arms meet is at -x, -y.
    "l": (("outer x", "outer y", "width of the arm along y", "width of the arm along x"), _l),
    # The bar is at +y.
    "t": (("outer x", "outer y", "width of the bar", "width of the stem"), _t),
    "cross": (("outer x", "outer y", "width of the arms"), _cross),
    # The key stands out of the circle towards +x.
    "keyed_round": (("diameter", "key width", "key height over the circle"), _keyed_round),
    # Side by side along x.
    "two_prongs": (("prong x", "prong y", "spacing"), _two_prongs),
    # Two at -y, side by side along x, and one in the middle at +y.
    "three_prongs": (("prong x", "prong y", "spacing x", "spacing y"), _three_prongs),
    "polygon": ((), None),
}
"""Names of the measures in ``size_m`` and builder of every family."""


def _free(rings: Sequence[Ring]) -> Polygon | MultiPolygon:
    """Build a shape from outlines (counter-clockwise) and holes (clockwise)."""
    outlines = [Polygon(ring) for ring in rings if shapely.is_ccw(shapely.LinearRing(ring))]
    holes = [Polygon(ring) for ring in rings if not shapely.is_ccw(shapely.LinearRing(ring))]
    return minus(union(outlines), *holes)


def _check_rings(rings: Sequence[Ring]) -> None:
    check(len(rings) > 0, "rings_m", "at least one outline of (x, y) corners", rings)
    for ring in rings:
        fine = len(ring) >= 3 and bool(Polygon(ring).is_valid)
        check(fine, "rings_m", "rings of at least 3 corners that do not cross themselves", ring)
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
    check(reach <= 0.1, key, "a section within 0.1 m of the axis", got)
