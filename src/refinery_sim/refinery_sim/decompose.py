"""Split plane regions into convex parts: few large rectangles where they fit exactly, convex polygons elsewhere.

All functions return parts whose union is the region to rounding; none reaches outside it. Parts may overlap each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from refinery.rotations import Array
from refinery_sim.planar import common, minus, mismatch_m2, union

SAME_M = 1e-9
"""Coordinates closer than this are one, [m]."""
NOTHING_M2 = 1e-13
"""Areas under this are rounding, [m^2]: a nanometre along 0.1 mm."""


def parts_of(region: BaseGeometry) -> list[Polygon]:
    """Return the polygons of a region that are more than rounding."""
    return [part for part in shapely.get_parts(region) if isinstance(part, Polygon) and part.area > NOTHING_M2]


def corners(ring: BaseGeometry) -> Array:
    """Return a ring's corners (N, 2) in order, without repetitions and without points on straight edges, [m]."""
    points = shapely.get_coordinates(ring)[:-1]
    points = points[np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1) > SAME_M]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    off_line = np.abs(_cross(before, after)) / np.linalg.norm(after - -before, axis=1).clip(SAME_M)
    return np.asarray(points[off_line > SAME_M])


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def rings(region: BaseGeometry) -> list[Array]:
    """Return the corners of every ring, the region on its left: outlines counter-clockwise, holes clockwise, [m]."""
    oriented = [shapely.orient_polygons(part) for part in parts_of(region)]
    return [corners(ring) for part in oriented for ring in (part.exterior, *part.interiors)]


def is_rectilinear(region: BaseGeometry) -> bool:
    """Tell whether every edge runs along x or y."""
    edges = np.vstack([np.roll(ring, -1, axis=0) - ring for ring in rings(region)])
    return bool(np.all(np.abs(edges).min(axis=1) < SAME_M))


def is_convex(polygon: Polygon) -> bool:
    """Tell whether a polygon has no hole and no inward corner."""
    return bool(polygon.convex_hull.area - polygon.area < NOTHING_M2)


def rectangles(region: Polygon | MultiPolygon, *, trim: bool) -> list[Polygon]:
    """Cover a rectilinear region with few, large rectangles: greedily, the one that adds most area first.

    Args:
        region: With edges along x and y only.
        trim: Cut each rectangle down to what it adds to the ones before.

    Returns:
        Rectangles along x and y.
    """
    points = np.vstack(rings(region))
    x, y = _distinct(points[:, 0]), _distinct(points[:, 1])
    middles = shapely.points(*np.meshgrid((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, indexing="ij"))
    inside = shapely.contains(region, middles)
    area = np.outer(np.diff(x), np.diff(y))
    whole = [
        (slice(i, j), slice(k, m))
        for i, j in combinations(range(len(x)), 2)
        for k, m in combinations(range(len(y)), 2)
        if inside[i:j, k:m].all()
    ]
    left, found = inside.copy(), []
    while left.any():
        gains = [(float((area[cells] * left[cells]).sum()), float(area[cells].sum())) for cells in whole]
        columns, lines = whole[max(range(len(whole)), key=gains.__getitem__)]
        added = np.argwhere(left[columns, lines])
        left[columns, lines] = False
        (i, k), (j, m) = (added.min(axis=0), added.max(axis=0) + 1) if trim else ((0, 0), inside[columns, lines].shape)
        i, j, k, m = i + columns.start, j + columns.start, k + lines.start, m + lines.start
        found.append(shapely.box(x[i], y[k], x[j], y[m]))
    return found


def _distinct(values: Array) -> Array:
    ordered = np.sort(values)
    return np.asarray(ordered[np.r_[True, np.diff(ordered) > SAME_M]])


@dataclass(frozen=True, kw_only=True, eq=False)
class Edge:
    """One straight edge of a free region (a hole); the material is on its right."""

    start_m: Array
    """First end (2,), [m]."""
    end_m: Array
    """Second end (2,), [m]."""
    spread: tuple[float, float]
    """By how much a strip beside the edge is longer at either end, per its width, where it meets the next edge's strip
    in a mitre; negative where the material has an outward corner."""
    unit: Array
    """Direction from start to end (2,)."""
    next_units: tuple[Array, Array]
    """Directions of the edges before and after this one, (2,) each."""

    @property
    def outward(self) -> Array:
        """Direction into the material (2,)."""
        return np.array([self.unit[1], -self.unit[0]])

    @property
    def inside_corners(self) -> bool:
        """Whether the material has no outward corner at either end: strips may be lengthened there."""
        return min(self.spread) > 0

    def ends(self, width_m: float) -> tuple[Array, Array]:
        """Return both ends (2,) lengthened so that strips of this width leave no gap to the next edges' strips, [m]."""
        first, second = (max(spread, 0.0) * width_m * self.unit for spread in self.spread)
        return self.start_m - first, self.end_m + second

    def strip(self, low_m: float, high_m: float, *, width_m: float) -> Polygon:
        """Return the rectangle from ``low_m`` to ``high_m`` into the material, between :meth:`ends` of ``width_m``."""
        (a, b), n = self.ends(width_m), self.outward
        return Polygon([a + low_m * n, a + high_m * n, b + high_m * n, b + low_m * n])

    def clipped_strip(self, low_m: float, high_m: float, *, width_m: float) -> Polygon:
        """Return the part of :meth:`strip` behind the next edges too, moved by ``low_m``, at outward corners."""
        found = self.strip(low_m, high_m, width_m=width_m)
        for corner, unit, spread in zip((self.start_m, self.end_m), self.next_units, self.spread, strict=True):
            if spread < 0:
                normal = np.array([unit[1], -unit[0]])
                a, b = corner + low_m * normal - unit, corner + low_m * normal + unit
                found = common(found, Polygon([a, a + normal, b + normal, b]))
        return found

    def mitred_strip(self, width_m: float) -> Array:
        """Return the strip between the mitres at both ends: start, end, far end, far start, shape (4, 2), [m]."""
        shift = width_m * self.outward
        first, second = (spread * width_m * self.unit for spread in self.spread)
        return np.array([self.start_m, self.end_m, self.end_m + shift + second, self.start_m + shift - first])


def edges(region: BaseGeometry) -> list[Edge]:
    """Return the edges of a region, which lies on their left."""
    found = []
    for ring in rings(region):
        along = np.roll(ring, -1, axis=0) - ring
        unit = along / np.linalg.norm(along, axis=1)[:, None]
        before = np.roll(unit, 1, axis=0)
        spread = np.tan(np.arctan2(_cross(before, unit), (before * unit).sum(axis=1)).clip(-2.94, 2.94) / 2)
        for i, start in enumerate(ring):
            j = (i + 1) % len(ring)
            ends, beside = (float(spread[i]), float(spread[j])), (before[i], unit[j])
            found.append(Edge(start_m=start, end_m=ring[j], spread=ends, unit=unit[i], next_units=beside))
    return found


def edge_rectangle(edge: Edge, region: BaseGeometry, depth_m: float) -> Polygon | None:
    """Lay a rectangle on an edge, lengthened to meet its neighbours, as deep as the region allows.

    Args:
        edge: The edge; it is one whole side of the rectangle.
        region: Where the rectangle may lie.
        depth_m: Wanted extent away from the edge, [m]; halved up to five times where the region is too narrow.
    """
    for depth in depth_m / 2.0 ** np.arange(6):
        candidate = edge.strip(0.0, depth, width_m=depth)
        if minus(candidate, region).area < NOTHING_M2:
            return candidate
    return None


def convex_parts(region: BaseGeometry) -> list[Polygon]:
    """Split a region into convex polygons: constrained triangulation, then merge over edges while the result is convex.

    This is the idea of Hertel and Mehlhorn (at most four times the fewest possible), longest common edge first.
    """
    found: list[Polygon] = []
    for part in parts_of(region):
        if is_convex(part):
            found.append(part)
            continue
        pieces = parts_of(shapely.constrained_delaunay_triangles(part))
        merging = True
        while merging:
            pairs = [
                (float(common(a, b).length), i, j)
                for (i, a), (j, b) in combinations(enumerate(pieces), 2)
                if a.distance(b) < SAME_M
            ]
            merging = False
            for shared_m, i, j in sorted(pairs, reverse=True):
                merged = union([pieces[i], pieces[j]])
                if shared_m > SAME_M and isinstance(merged, Polygon) and is_convex(merged):
                    pieces = [piece for k, piece in enumerate(pieces) if k not in (i, j)] + [merged]
                    merging = True
                    break
        found += pieces
    return found


def crossing_rectangles(polygon: Polygon) -> list[Polygon]:
    """Cover a polygon of equal opposite sides by the rectangles between them; nothing if they do not cover it."""
    ring = corners(polygon.exterior)
    half = len(ring) // 2
    found = [Polygon(ring[[i, i + 1, i + half, (i + 1 + half) % len(ring)]]) for i in range(half)]
    covers = len(ring) % 2 == 0 and mismatch_m2(polygon, union(found)) < NOTHING_M2
    return found if covers and all(as_rectangle(part) for part in found) else []


def as_rectangle(polygon: Polygon) -> tuple[Array, Array, float] | None:
    """Return middle (2,), half its edges (2,) [m] and the turn of the first edge [rad] of a rectangle, else nothing."""
    ring = corners(polygon.exterior)
    if len(ring) != 4:
        return None
    first, second = ring[1] - ring[0], ring[2] - ring[1]
    if not np.allclose(ring[0] - ring[1], ring[3] - ring[2], atol=SAME_M) or abs(first @ second) > SAME_M * 1e-3:
        return None
    half = np.array([np.linalg.norm(first), np.linalg.norm(second)]) / 2
    return ring.mean(axis=0), half, float(np.arctan2(first[1], first[0]))
