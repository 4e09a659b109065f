"""Convex solids, and the plug made of them: boxes wherever they fit exactly, cylinders and convex hulls elsewhere.

Box against box is by far MuJoCo's fastest collider; the others go through its general convex one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from refinery.config import check
from refinery.rotations import Array
from refinery.section import SectionSpec
from refinery_sim.decompose import (
    as_rectangle,
    convex_parts,
    corners,
    crossing_rectangles,
    is_rectilinear,
    rectangles,
)

JOIN_M = 0.005
"""Gap between the rim and the body that joins several prongs when seated, [m]."""
MOST_BOXES = 4
"""Up to so many boxes crossing each other collide faster than the one prism they make."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A convex solid, standing upright in the plug's or the socket's frame unless it is turned."""

    kind: str
    """``box``, ``cylinder`` or ``hull``."""
    centre_m: Array
    """Origin of the solid: the middle of a box or cylinder, zero for a hull, [m]."""
    half_size_m: Array
    """Half the edges of a box; radius and half height of a cylinder; empty for a hull, [m]."""
    axes: Array
    """The solid's x, y and z axis as columns, shape (3, 3)."""
    corners_m: Array
    """Corners of a box or hull (N, 3); of a cylinder none, [m]."""
    volume_m3: float
    """Volume, [m^3]."""


def box(centre_m: Array, half_size_m: Array, axes: Array) -> Piece:
    """Return a box with its corners."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    points = centre_m + (signs * half_size_m) @ axes.T
    volume = float(8 * np.prod(half_size_m))
    return Piece(kind="box", centre_m=centre_m, half_size_m=half_size_m, axes=axes, corners_m=points, volume_m3=volume)


def cylinder(radius_m: float, low_m: float, high_m: float) -> Piece:
    """Return an upright cylinder around the z axis."""
    half = (high_m - low_m) / 2
    return Piece(
        kind="cylinder",
        centre_m=np.array([0, 0, low_m + half]),
        half_size_m=np.array([radius_m, half]),
        axes=np.eye(3),
        corners_m=np.zeros((0, 3)),
        volume_m3=2 * half * np.pi * radius_m**2,
    )


def hull(points_m: Array, volume_m3: float) -> Piece:
    """Return the convex hull of points (N, 3)."""
    return Piece(
        kind="hull",
        centre_m=np.zeros(3),
        half_size_m=np.zeros(0),
        axes=np.eye(3),
        corners_m=points_m,
        volume_m3=volume_m3,
    )


def prism(polygon: Polygon, low_m: float, high_m: float) -> Piece:
    """Extrude a convex polygon along z; a rectangle becomes a box."""
    half, middle = (high_m - low_m) / 2, (high_m + low_m) / 2
    rectangle = as_rectangle(polygon)
    if rectangle is not None:
        centre, size, turn = rectangle
        c, s = np.cos(turn), np.sin(turn)
        axes = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        return box(np.array([*centre, middle]), np.array([*size, half]), axes)
    ring = corners(polygon.exterior)
    points = np.vstack([np.column_stack([ring, np.full(len(ring), z)]) for z in (low_m, high_m)])
    return hull(points, 2 * half * polygon.area)


def plug_pieces(section: SectionSpec, *, length_m: float, depth_m: float) -> list[Piece]:
    """Return the plug's pieces in its own frame (tip at z = 0).

    A section of several outlines makes prongs; their convex hull joins them from ``JOIN_M`` above the rim upwards.

    Args:
        section: The plug's section.
        length_m: Its whole length, [m].
        depth_m: Depth of the hole, [m].
    """
    if section.family == "round":
        return [cylinder(section.size_m[0] / 2, 0.0, length_m)]
    shape = section.shape
    if section.family == "keyed_round":
        diameter, width, height = section.size_m
        key = shapely.box(0.0, -width / 2, diameter / 2 + height, width / 2)
        return [cylinder(diameter / 2, 0.0, length_m), prism(key, 0.0, length_m)]
    if len(shape.geoms) == 1:
        return [prism(part, 0.0, length_m) for part in plug_parts(shape)]
    join = depth_m + JOIN_M
    check(length_m > join, "plug.length_m", f"> {join:g} m (prongs are joined {JOIN_M:g} m over the rim)", length_m)
    return [*(prism(part, 0.0, join) for part in plug_parts(shape)), prism(shape.convex_hull, join, length_m)]


def plug_parts(shape: MultiPolygon) -> list[Polygon]:
    """Split a plug's section into convex parts; whole bars where it is rectilinear, so that no seam meets a wall."""
    if is_rectilinear(shape):
        return rectangles(shape, trim=False)
    parts = convex_parts(shape)
    return [piece for part in parts for piece in _boxes_or_itself(part)]


def _boxes_or_itself(part: Polygon) -> list[Polygon]:
    boxes = crossing_rectangles(part)
    return boxes if 0 < len(boxes) <= MOST_BOXES else [part]
