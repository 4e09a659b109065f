"""The plate as convex pieces: its hole is exactly the plug's section grown by the clearance, with an optional chamfer.

Pieces may overlap each other outside the hole (and then are large and without seams), never inside it. A socket that
states its solids is made of those instead (:mod:`refinery_sim.solids`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from refinery.config import check
from refinery.piece import Piece, box, hull
from refinery.rotations import Array
from refinery.section import SectionSpec
from refinery.task import SOCKET_BOTTOM_M, SocketSpec
from refinery_sim.decompose import (
    NOTHING_M2,
    Edge,
    as_rectangle,
    convex_parts,
    corners,
    edge_rectangle,
    edges,
    is_rectilinear,
    parts_of,
    rectangles,
)
from refinery_sim.pieces import plug_parts, prism
from refinery_sim.planar import common, minus, mismatch_m2, union
from refinery_sim.section import half_size_m, section_shape
from refinery_sim.solids import check_solids, solid_pieces

WALL_M = 0.003
"""Least depth of the pieces behind a wall of the hole, so that no penetration is pushed out on the far side, [m]."""
MITRE_LIMIT = 10.0
"""Corners of the hole down to 11 degrees stay sharp."""


def grown(shape: MultiPolygon, by_m: float) -> MultiPolygon:
    """Return a section with every edge moved outward by ``by_m``, corners sharp."""
    found = shape.buffer(by_m, join_style="mitre", mitre_limit=MITRE_LIMIT)
    return found if isinstance(found, MultiPolygon) else MultiPolygon([found])


def plate_pieces(section: SectionSpec, socket: SocketSpec) -> list[Piece]:
    """Return the plate with its hole and closed bottom, in the socket frame (bottom of the hole at z = 0).

    Raises:
        ConfigError: The plate is too small for the hole, or the chamfer too large for it; or the plug does not pass the
            socket's solids with the clearance that is stated, or has nothing to rest on.
    """
    if socket.solids:
        check_solids(section, socket)
        return [piece for solid in socket.solids for piece in solid_pieces(solid)]
    depth, chamfer, size = socket.depth_m, socket.chamfer_m, socket.plate_half_size_m
    check_plate_size(section, socket)
    shape = section_shape(section)
    hole = grown(shape, socket.clearance_m)
    plate = shapely.box(-size, -size, size, size)
    half = SOCKET_BOTTOM_M / 2
    bottom = box(np.array([0, 0, -half]), np.array([size, size, half]), np.eye(3))
    if chamfer > 0:
        boxes = all(as_rectangle(part) is not None for part in plug_parts(shape))
        return [bottom, *_chamfered(plate, hole, depth, chamfer, boxes=boxes)]
    return [bottom, *(prism(part, 0.0, depth) for part in plate_parts(plate, hole))]


def check_plate_size(section: SectionSpec, socket: SocketSpec) -> None:
    """Check that a plate has walls all around its hole; a socket made of solids has no plate.

    Raises:
        ConfigError: It is too small; the message has the sizes of section and plate.
    """
    if socket.solids:
        return
    half, size = half_size_m(section), socket.plate_half_size_m
    hole = grown(section_shape(section), max(0.0, socket.clearance_m))
    needed = max(abs(v) for v in hole.bounds) + max(0.0, socket.chamfer_m) + 2 * WALL_M
    check(
        size >= needed,
        "socket.plate_half_size_m",
        f">= {needed:g} m (walls around the hole of a section of {2 * half[0]:g} x {2 * half[1]:g} m)",
        size,
    )


def plate_parts(plate: Polygon, hole: MultiPolygon, covered: Sequence[Polygon] = ()) -> list[Polygon]:
    """Cover a plate around a hole with convex parts, except for what is covered already.

    Rectilinear holes: rectangles only. Others: four rectangles around the hole's bounding box, a rectangle on each wall
    of the hole, and convex polygons in what is left of the bounding box.
    """
    if is_rectilinear(hole):
        return rectangles(minus(plate, hole), trim=True)
    frame = hole.envelope
    outer = rectangles(minus(plate, frame), trim=True)
    return [*outer, *_framed_parts(plate, frame, hole, covered)]


def _wall_depth(frame: Polygon, hole: MultiPolygon) -> float:
    """Depth at which rectangles on all walls of a convex hole fill the frame around it, [m]."""
    return max(WALL_M, 1.1 * float(shapely.hausdorff_distance(frame.exterior, hole.boundary)))


def _framed_parts(plate: Polygon, frame: Polygon, hole: MultiPolygon, covered: Sequence[Polygon]) -> list[Polygon]:
    """Cover what is left of a frame without its hole and without what is covered already."""
    region, depth = minus(plate, hole), _wall_depth(frame, hole)
    rest = parts_of(minus(frame, hole, *covered))
    found = []
    for edge in edges(hole):
        wall = edge_rectangle(edge, region, depth)
        if wall is not None and sum(common(part, wall).area for part in rest) > NOTHING_M2:
            found.append(wall)
            rest = [left for part in rest for left in parts_of(minus(part, wall))]
    return [*found, *(piece for part in rest for piece in convex_parts(part))]


def _chamfered(plate: Polygon, hole: MultiPolygon, depth_m: float, chamfer_m: float, *, boxes: bool) -> Iterator[Piece]:
    """Give the pieces of a plate whose hole widens at 45 degrees towards the rim.

    If the plug is all boxes, in two layers around bore and mouth with a wedge under each face of the chamfer, all boxes
    but for wedges at outward corners. Otherwise each wall is one hull with its chamfer, as far as there is room.
    """
    mouth, low = grown(hole, chamfer_m), depth_m - chamfer_m
    around = edges(hole)
    strips = [Polygon(edge.mitred_strip(chamfer_m)) for edge in around]
    apart = all(strip.is_valid for strip in strips) and sum(s.area for s in (hole, *strips)) < mouth.area + NOTHING_M2
    same = apart and mismatch_m2(union([hole, *strips]), mouth) < NOTHING_M2
    check(same, "socket.chamfer_m", "a chamfer that leaves a wall between all edges of the hole", chamfer_m)
    wall = chamfer_m + _wall_depth(mouth.envelope, hole)
    layered, covered_low, covered_high = [], [], []
    for edge in around:
        areas = None if boxes else _areas_behind(edge, plate, hole, mouth, chamfer_m, wall)
        if areas is None:
            layered.append(edge)
            continue
        covered_low.append(areas[0])
        covered_high.append(areas[1])
        yield _chamfered_wall(*areas, depth_m, chamfer_m)
    yield from (_wedge(edge, plate, hole, mouth, depth_m, chamfer_m) for edge in layered)
    rectilinear, frame = is_rectilinear(hole), mouth.envelope
    bore = plate_parts(plate, hole) if rectilinear else _framed_parts(plate, frame, hole, covered_low)
    yield from (prism(part, 0.0, low) for part in bore)
    # Pieces around the mouth go down to the bottom: where they pass the bore they are too far out to be touched.
    yield from (prism(part, 0.0, depth_m) for part in plate_parts(plate, mouth, covered_high))


def _areas_behind(
    edge: Edge, plate: Polygon, hole: MultiPolygon, mouth: MultiPolygon, chamfer_m: float, wall_m: float
) -> tuple[Polygon, Polygon] | None:
    """Return what one solid can fill behind an edge, at the heights of bore and rim, as deep as there is room."""
    while wall_m > 1.5 * chamfer_m:
        at_bore, at_rim = (edge.clipped_strip(out, wall_m, width_m=wall_m) for out in (0.0, chamfer_m))
        if not at_rim.is_empty and _is_material(at_bore, at_rim, plate, hole, mouth):
            return at_bore, at_rim
        wall_m /= 2
    return None


def _is_material(at_bore: Polygon, at_rim: Polygon, plate: Polygon, hole: MultiPolygon, mouth: MultiPolygon) -> bool:
    """Tell whether the solid between an area at the bore's height and one at the rim is all the plate's.

    Edges of both and of the hole move linearly with height, so that the two heights are enough to look at.
    """
    outside = minus(at_bore, minus(plate, hole)).area + minus(at_rim, minus(plate, mouth)).area
    return float(outside) < NOTHING_M2


def _chamfered_wall(at_bore: Polygon, at_rim: Polygon, depth_m: float, chamfer_m: float) -> Piece:
    """Return wall and chamfer of one edge as one hull, from the bottom to the rim."""
    low, rim = corners(at_bore.exterior), corners(at_rim.exterior)
    levels = [(low, 0.0), (low, depth_m - chamfer_m), (rim, depth_m)]
    points = np.vstack([np.column_stack([ring, np.full(len(ring), z)]) for ring, z in levels])
    return hull(points, at_bore.area * (depth_m - chamfer_m) + (at_bore.area + at_rim.area) / 2 * chamfer_m)


def _wedge(
    edge: Edge, plate: Polygon, hole: MultiPolygon, mouth: MultiPolygon, depth_m: float, chamfer_m: float
) -> Piece:
    """Return what lies under the chamfer of one edge: a box turned by 45 degrees if there is room, else a hull."""
    low, thick = depth_m - chamfer_m, WALL_M
    # Of a box that thick under the chamfer, the far corner is so far from the edge.
    far = chamfer_m + thick / np.sqrt(2)
    at_bore, at_rim = (edge.strip(out, far, width_m=chamfer_m) for out in (0.0, chamfer_m))
    if not (edge.inside_corners and _is_material(at_bore, at_rim, plate, hole, mouth)):
        flat = edge.mitred_strip(chamfer_m)
        points = [_upright(point, low) for point in flat] + [_upright(point, depth_m) for point in flat[2:]]
        return hull(np.array(points), float(Polygon(flat).area) * chamfer_m / 2)
    start, end = edge.ends(chamfer_m)
    along, outward = np.array([*edge.unit, 0.0]), np.array([*edge.outward, 0.0])
    normal = (np.array([0, 0, 1.0]) - outward) / np.sqrt(2)
    axes = np.column_stack([along, np.cross(normal, along), normal])
    face = np.array([*(start + end) / 2, low]) + chamfer_m / 2 * (outward + np.array([0, 0, 1.0]))
    half = np.array([np.linalg.norm(end - start) / 2, chamfer_m / np.sqrt(2), thick / 2])
    return box(face - thick / 2 * normal, half, axes)


def _upright(point_m: Array, z_m: float) -> Array:
    return np.array([point_m[0], point_m[1], z_m])
