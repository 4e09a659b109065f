"""Set operations on plane shapes, on a fixed grid of coordinates.

Without a grid, GEOS decides in floating point where edges cross, and now and then gets it entirely wrong: two polygons
that only share an edge were found to have 75 % of their area in common. On a grid its operations are exact.
"""

from __future__ import annotations

from collections.abc import Iterable

import shapely
from shapely.geometry.base import BaseGeometry

GRID_M = 1e-13
"""Distance of neighbouring coordinates, [m]."""


def union(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return what is in any of the shapes."""
    return shapely.union_all(list(shapes), grid_size=GRID_M)


def common(a: BaseGeometry, b: BaseGeometry) -> BaseGeometry:
    """Return what is in both shapes."""
    return shapely.intersection(a, b, grid_size=GRID_M)


def minus(a: BaseGeometry, *others: BaseGeometry) -> BaseGeometry:
    """Return what is in the first shape and in no other."""
    return shapely.difference(a, union(others), grid_size=GRID_M)


def mismatch_m2(a: BaseGeometry, b: BaseGeometry) -> float:
    """Return the area of what is in one of two shapes only, [m^2]."""
    return float(shapely.symmetric_difference(a, b, grid_size=GRID_M).area)
