"""The plug made of convex solids: boxes wherever they fit exactly, cylinders and convex hulls elsewhere.

Box against box is by far MuJoCo's fastest collider; the others go through its general convex one.
"""

from __future__ import annotations

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from refinery.config import check
from refinery.piece import Piece, box, cylinder, hull
from refinery.section import SectionSpec
from refinery.task import Task
from refinery_sim.decompose import (
    as_rectangle,
    convex_parts,
    corners,
    crossing_rectangles,
    is_convex,
    is_rectilinear,
    rectangles,
)
from refinery_sim.section import section_shape

JOIN_M = 0.005
"""Gap between the rim and the body that joins several prongs when seated, [m]."""
MOST_BOXES = 4
"""Up to so many boxes crossing each other collide faster than the one prism they make."""


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


def chamfered_prism(shape: MultiPolygon, low_m: float, high_m: float, chamfer_m: float) -> list[Piece]:
    """Extrude a convex section along z, with a 45 degree chamfer around its upper end: a prism and a frustum on it.

    Raises:
        ConfigError: The section is not convex, or the chamfer leaves nothing of it.
    """
    (outline,) = shape.geoms if len(shape.geoms) == 1 else (shape.convex_hull,)
    convex = len(shape.geoms) == 1 and is_convex(outline)
    check(convex, "chamfer_m", "0 for a section that is not convex", chamfer_m)
    top = outline.buffer(-chamfer_m, join_style="mitre")
    check(not top.is_empty, "chamfer_m", "a chamfer that leaves something of the section", chamfer_m)
    shoulder = high_m - chamfer_m
    levels = [(corners(outline.exterior), shoulder), (corners(top.exterior), high_m)]
    points = np.vstack([np.column_stack([ring, np.full(len(ring), z)]) for ring, z in levels])
    frustum = hull(points, chamfer_m * (outline.area + top.area) / 2)
    return [prism(outline, low_m, shoulder), frustum]


def plug_pieces(section: SectionSpec, *, length_m: float, depth_m: float, chamfer_m: float = 0.0) -> list[Piece]:
    """Return the plug's pieces in its own frame (tip at z = 0).

    A section of several outlines makes prongs; their convex hull joins them from ``JOIN_M`` above the rim upwards.

    Args:
        section: The plug's section.
        length_m: Its whole length, [m].
        depth_m: Depth of the hole, [m].
        chamfer_m: Of its upper end, [m].

    Raises:
        ConfigError: It is too short for its prongs, or is chamfered and not convex.
    """
    if chamfer_m > 0:
        return chamfered_prism(section_shape(section), 0.0, length_m, chamfer_m)
    if section.family == "round":
        return [_upright_cylinder(section.size_m[0], length_m)]
    shape = section_shape(section)
    if section.family == "keyed_round":
        diameter, width, height = section.size_m
        key = shapely.box(0.0, -width / 2, diameter / 2 + height, width / 2)
        return [_upright_cylinder(diameter, length_m), prism(key, 0.0, length_m)]
    if len(shape.geoms) == 1:
        return [prism(part, 0.0, length_m) for part in plug_parts(shape)]
    join = depth_m + JOIN_M
    check(length_m > join, "plug.length_m", f"> {join:g} m (prongs are joined {JOIN_M:g} m over the rim)", length_m)
    return [*(prism(part, 0.0, join) for part in plug_parts(shape)), prism(shape.convex_hull, join, length_m)]


def task_pieces(task: Task) -> list[Piece]:
    """Return the pieces of a task's plug in its own frame (tip at z = 0).

    Raises:
        ConfigError: As :func:`plug_pieces`.
    """
    plug = task.plug
    return plug_pieces(plug.section, length_m=plug.length_m, depth_m=task.socket.depth_m, chamfer_m=plug.chamfer_m)


def plug_parts(shape: MultiPolygon) -> list[Polygon]:
    """Split a plug's section into convex parts; whole bars where it is rectilinear, so that no seam meets a wall."""
    if is_rectilinear(shape):
        return rectangles(shape, trim=False)
    parts = convex_parts(shape)
    return [piece for part in parts for piece in _boxes_or_itself(part)]


def _upright_cylinder(diameter_m: float, length_m: float) -> Piece:
    half = length_m / 2
    return cylinder(np.array([0, 0, half]), np.array([diameter_m / 2, half]))


def _boxes_or_itself(part: Polygon) -> list[Polygon]:
    boxes = crossing_rectangles(part)
    return boxes if 0 < len(boxes) <= MOST_BOXES else [part]
