"""From two meshes in assembled pose to a part: sections along the axis, clearance, depth and chamfer, all measured.

A task's plug is one section extruded along its axis, its hole the same section grown by one clearance, with a 45 degree
chamfer: what is not that is refused with the height and the deviation. Faceted circles have their corners *on* the
circle and their sides inside it, so that a circle is fitted where all corners of a section lie on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import LinearRing, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from refinery.errors import RefineryError
from refinery.rotations import Array
from refinery.section import SectionSpec
from refinery_sim.decompose import as_rectangle, corners
from refinery_sim.planar import minus, union
from refinery_sim.plate import grown

UNITS_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}
"""Lengths of the units that a mesh may be in, [m]: STL and OBJ do not say theirs."""
AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}
"""Columns that become x, y, z, by the axis along which the plug is inserted."""
TOLERANCE_M = 3e-5
"""Outlines that differ by less are the same, [m]: what meshes leave of exact shapes."""
HEIGHTS = 24
"""Sections along the inserted length."""
_EDGE_M = 2e-5
_NOTHING_M2 = 1e-11
_ROUND_CORNERS = 12
_CORNER_M = 2e-6
_ADVICE = "pip install -r requirements/run.txt, and cascadio==0.1.1 for STEP"


class CadError(RefineryError):
    """Two meshes that make no task; the message says where and by how much."""


@dataclass(frozen=True, kw_only=True)
class CadPart:
    """What was measured of a plug in its socket."""

    section: SectionSpec
    """The plug's section, its axis through the middle of the bounding box or the circle."""
    clearance_m: float
    """Least distance between plug and hole per side over the inserted length, [m]."""
    depth_m: float
    """From the seated tip to the rim, [m]."""
    chamfer_m: float
    """Width of the chamfer around the rim, [m]."""
    length_m: float
    """Length of the plug, [m]."""
    notes: tuple[str, ...]
    """What was read and what was left out."""


@dataclass(frozen=True, kw_only=True)
class Circle:
    """A circle that was fitted."""

    centre_m: tuple[float, float]
    """Its centre, [m]."""
    radius_m: float
    """Its radius, [m]."""


def read_solid(path: Path, unit: str, axis: str) -> Any:
    """Read a mesh.

    Args:
        path: STL, OBJ or (with cascadio installed) STEP.
        unit: One of :data:`UNITS_M`.
        axis: The axis out of the hole, one of :data:`AXES`; it becomes z.

    Returns:
        A ``manifold3d.Manifold`` in metres.

    Raises:
        CadError: It cannot be read or is no closed solid.
        RefineryError: The libraries are not installed.
    """
    try:
        import manifold3d
        import trimesh
    except ImportError as error:
        raise RefineryError(f"reading CAD needs {error.name}: {_ADVICE}") from None
    if not path.is_file():
        raise CadError(f"{path}: expected a mesh, got nothing there")
    try:
        mesh = trimesh.load_mesh(path)
    except Exception as error:
        raise CadError(f"{path}: expected STL, OBJ or STEP (which needs cascadio), got: {error}") from None
    mesh.merge_vertices()
    points = np.asarray(mesh.vertices, dtype=np.float64)[:, AXES[axis]] * UNITS_M[unit]
    solid = manifold3d.Manifold(
        manifold3d.Mesh64(vert_properties=points, tri_verts=np.asarray(mesh.faces, dtype=np.uint64))
    )
    if solid.status() != manifold3d.Error.NoError or solid.volume() <= 0:
        raise CadError(
            f"{path}: expected a closed solid, got {solid.status().name} with {len(mesh.faces)} faces; "
            "repair the mesh (holes, flipped faces) or export it again"
        )
    return solid


def measure(plug: Any, socket: Any, *, approximate: bool = False) -> CadPart:
    """Measure a plug in its socket, both in the assembled pose with z out of the hole.

    Args:
        plug: Solid of the plug, [m].
        socket: Solid of the part with the hole, [m].
        approximate: Take the section at half the depth although the plug is not prismatic over its inserted length.

    Raises:
        CadError: They touch, the plug is not in a hole, or is no prism in a hole of its own shape.
    """
    overlap_m3 = (plug ^ socket).volume()
    if overlap_m3 > 1e-12:
        raise CadError(f"plug and socket overlap by {1e9 * overlap_m3:.3g} mm3: expected a pose with clearance")
    low, high = _extent(plug)
    rim = _rim(plug, socket, low, high)
    depth, length = rim - low, high - low
    heights = np.linspace(low + _EDGE_M, rim - _EDGE_M, HEIGHTS)
    sections = [_section(plug, z) for z in heights]
    notes = [f"plug {_box(plug)}, socket {_box(socket)}"]
    middle = sections[HEIGHTS // 2]
    notes += _same_section(heights - low, sections, middle, approximate)
    holes = [_hole(socket, z, middle) for z in heights]
    _check_way_out(heights - low, sections, holes)
    chamfer = _chamfer(socket, middle, holes[0], low, rim)
    bores = [hole for z, hole in zip(heights, holes, strict=True) if z < rim - chamfer - _EDGE_M]
    spec, centre, circle = _spec(middle)
    if circle is not None:
        clearance = _round_clearance(circle, bores)
    else:
        clearance = min(float(hole.boundary.distance(middle.boundary)) for hole in bores)
        _check_bore(heights - low, bores, middle, clearance)
    above = [_section(plug, z) for z in np.linspace(rim + _EDGE_M, high - _EDGE_M, HEIGHTS // 2)] if high > rim else []
    deviation = max((_deviation_m(section, middle) for section in above), default=0.0)
    if deviation > TOLERANCE_M:
        notes.append(f"over the rim the plug differs from its section by up to {1e3 * deviation:.3g} mm: not modelled")
    notes.append(f"axis at x = {1e3 * _rounded(centre[0]):g}, y = {1e3 * _rounded(centre[1]):g} mm of the meshes")
    return CadPart(
        section=spec,
        clearance_m=_rounded(clearance),
        depth_m=_rounded(depth),
        chamfer_m=_rounded(chamfer),
        length_m=_rounded(length),
        notes=tuple(notes),
    )


def _extent(solid: Any) -> tuple[float, float]:
    bounds = solid.bounding_box()
    return float(bounds[2]), float(bounds[5])


def _box(solid: Any) -> str:
    bounds = np.asarray(solid.bounding_box())
    return " x ".join(f"{1e3 * v:.4g}" for v in bounds[3:] - bounds[:3]) + " mm"


def _section(solid: Any, z_m: float) -> MultiPolygon:
    """Cut a solid; outlines counter-clockwise, holes clockwise."""
    rings = [np.asarray(ring) for ring in solid.slice(float(z_m)).to_polygons()]
    outlines = [Polygon(ring) for ring in rings if shapely.is_ccw(LinearRing(ring))]
    holes = [Polygon(ring) for ring in rings if not shapely.is_ccw(LinearRing(ring))]
    found = minus(union(outlines), *holes) if outlines else MultiPolygon()
    return found if isinstance(found, MultiPolygon) else MultiPolygon([found])


def _rim(plug: Any, socket: Any, low: float, high: float) -> float:
    """Height of the socket's face around the plug: the highest cut of the socket that still surrounds the plug."""
    inside = low + min(_EDGE_M, (high - low) / 2)
    if not _surrounds(socket, plug, inside):
        raise CadError(
            f"the plug's tip, at z = {1e3 * low:.4g} mm, is in no hole of the socket: expected both meshes assembled, "
            "with the axis out of the hole (--axis)"
        )
    top = min(high, _extent(socket)[1])
    if _surrounds(socket, plug, top - _EDGE_M):
        return top
    a, b = inside, top - _EDGE_M
    while b - a > 1e-8:
        middle = (a + b) / 2
        a, b = (middle, b) if _surrounds(socket, plug, middle) else (a, middle)
    return a


def _surrounds(socket: Any, plug: Any, z_m: float) -> bool:
    section = _section(plug, z_m)
    return not section.is_empty and not _hole(socket, z_m, section).is_empty


def _hole(socket: Any, z_m: float, section: BaseGeometry) -> MultiPolygon:
    """The holes of the socket's cut in which parts of the plug's section lie; empty if one lies in none."""
    cut = _section(socket, z_m)
    rings = [Polygon(ring) for part in cut.geoms for ring in part.interiors]
    parts = section.geoms if isinstance(section, MultiPolygon) else [section]
    found: list[Polygon] = []
    for part in parts:
        around = [ring for ring in rings if ring.contains(part.representative_point())]
        if not around:
            return MultiPolygon()
        found += [ring for ring in around if ring not in found]
    return MultiPolygon(found)


def _deviation_m(a: BaseGeometry, b: BaseGeometry) -> float:
    """How far outlines lie apart where they do most, [m]."""
    if a.is_empty or b.is_empty:
        return float("inf")
    return float(shapely.hausdorff_distance(a.boundary, b.boundary, densify=0.05))


def _same_section(
    heights_m: Array, sections: Sequence[MultiPolygon], middle: MultiPolygon, approximate: bool
) -> list[str]:
    """Check that the plug is a prism over its inserted length."""
    deviations = [_deviation_m(section, middle) for section in sections]
    worst = int(np.argmax(deviations))
    if deviations[worst] <= TOLERANCE_M:
        return []
    said = (
        f"not prismatic: {1e3 * heights_m[worst]:.3g} mm over the tip the plug's section differs by "
        f"{1e3 * deviations[worst]:.3g} mm from that at half the depth"
    )
    if approximate:
        return [f"{said}: approximated by the latter"]
    raise CadError(f"{said}, tolerance {1e3 * TOLERANCE_M:g} mm; --approximate takes the latter for the whole plug")


def _chamfer(socket: Any, section: MultiPolygon, bore: MultiPolygon, low_m: float, rim_m: float) -> float:
    """Width of the chamfer around the rim; 0 if there is none."""
    mouth = _hole(socket, rim_m - _EDGE_M, section)
    if _deviation_m(mouth, bore) <= TOLERANCE_M:
        return 0.0
    a, b = low_m + _EDGE_M, rim_m - _EDGE_M
    while b - a > 1e-7:
        middle = (a + b) / 2
        same = _deviation_m(_hole(socket, middle, section), bore) <= TOLERANCE_M
        a, b = (middle, b) if same else (a, middle)
    high = rim_m - a
    # Mitred corners move by more than the sides do.
    width = min(float(Point(point).distance(mouth.boundary)) for point in _side_middles(bore)) + _EDGE_M
    if abs(high - width) > 3 * TOLERANCE_M:
        raise CadError(
            f"the hole's mouth is no chamfer of 45 degrees: from {1e3 * high:.3g} mm under the rim it widens by "
            f"{1e3 * width:.3g} mm"
        )
    return width


def _side_middles(shape: MultiPolygon) -> Array:
    """The middle of the longest side of every outline."""
    rings = [np.asarray(part.exterior.coords) for part in shape.geoms]
    longest = [int(np.argmax(np.linalg.norm(np.diff(ring, axis=0), axis=1))) for ring in rings]
    return np.array([(ring[i] + ring[i + 1]) / 2 for ring, i in zip(rings, longest, strict=True)])


def _round_clearance(circle: Circle, bores: Sequence[MultiPolygon]) -> float:
    """Clearance of a round plug: of the circles, since facets lie inside them."""
    gaps = []
    for bore in bores:
        wide = _circle(bore.geoms[0].exterior)
        if wide is None:
            raise CadError("the plug is round and its hole is not")
        off = float(np.linalg.norm(np.subtract(wide.centre_m, circle.centre_m)))
        if off > TOLERANCE_M:
            raise CadError(f"the hole's axis is {1e3 * off:.3g} mm off the plug's")
        gaps.append(wide.radius_m - circle.radius_m)
    return min(gaps)


def _check_bore(heights_m: Array, bores: Sequence[MultiPolygon], section: MultiPolygon, clearance_m: float) -> None:
    """Check that the bore is the plug's section grown by one clearance, its corners sharp or rounded."""
    least = section.buffer(clearance_m - TOLERANCE_M)
    most = grown(section, clearance_m + TOLERANCE_M)
    for height, bore in zip(heights_m, bores, strict=False):
        if minus(bore, most).area + minus(least, bore).area > _NOTHING_M2:
            off = _deviation_m(bore, grown(section, clearance_m))
            raise CadError(
                f"the hole is not the plug's section with one clearance all around: {1e3 * height:.3g} mm over the "
                f"seat it differs by {1e3 * off:.3g} mm from {1e3 * clearance_m:.3g} mm per side"
            )


def _check_way_out(heights_m: Array, sections: Sequence[MultiPolygon], holes: Sequence[MultiPolygon]) -> None:
    """Check that what is in the hole at some height passes every opening above it."""
    below: BaseGeometry = MultiPolygon()
    for height, section, hole in zip(heights_m, sections, holes, strict=True):
        below = union([below, section])
        stuck = minus(below, hole).area
        if stuck > _NOTHING_M2:
            raise CadError(
                f"the plug cannot leave along its axis: {1e3 * height:.3g} mm over the seat the hole is too narrow for "
                f"what is below it, by {1e6 * stuck:.3g} mm2"
            )


def _spec(section: MultiPolygon) -> tuple[SectionSpec, tuple[float, float], Circle | None]:
    """The section about its axis, as a circle, a rectangle or free polygons; the axis; and the circle."""
    single = section.geoms[0] if len(section.geoms) == 1 and not section.geoms[0].interiors else None
    circle = None if single is None else _circle(single.exterior)
    if circle is not None:
        return SectionSpec(family="round", size_m=(_rounded(2 * circle.radius_m),)), circle.centre_m, circle
    low_x, low_y, high_x, high_y = section.bounds
    centre = ((low_x + high_x) / 2, (low_y + high_y) / 2)
    if single is not None and as_rectangle(single) is not None and single.area > (1 - 1e-6) * section.envelope.area:
        size = (_rounded(high_x - low_x), _rounded(high_y - low_y))
        return SectionSpec(family="rectangle", size_m=size), centre, None
    rings = [
        tuple((_rounded(x), _rounded(y)) for x, y in corners(ring) - centre)
        for part in map(shapely.orient_polygons, section.geoms)
        for ring in (part.exterior, *part.interiors)
    ]
    return SectionSpec(family="polygon", rings_m=tuple(rings)), centre, None


def _circle(ring: LinearRing) -> Circle | None:
    """The circle on which all corners of a ring lie, and between them its flat sides; None if there is none."""
    points = np.asarray(ring.coords)[:-1]
    # Cuts through the triangles of a flat side leave points on it, inside the circle: the outermost are the corners.
    for _ in range(3):
        centre, radius = _fitted(points)
        distance = np.linalg.norm(points - centre, axis=1)
        points = points[distance > distance.max() - _CORNER_M]
        if len(points) < _ROUND_CORNERS:
            return None
    angles = np.sort(np.arctan2(*(points - centre).T))
    widest = float(np.diff(angles, append=angles[0] + 2 * np.pi).max())
    every = np.linalg.norm(np.asarray(ring.coords) - centre, axis=1)
    inside = every.min() < radius * np.cos(widest / 2) - TOLERANCE_M / 3
    if widest > 2 * np.pi / _ROUND_CORNERS * 1.01 or inside:
        return None
    return Circle(centre_m=(float(centre[0]), float(centre[1])), radius_m=radius)


def _fitted(points: Array) -> tuple[Array, float]:
    """Centre and radius of the circle through points, by x^2 + y^2 = 2 a x + 2 b y + c, linear in a, b, c."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    (a, b, c), *_ = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)
    return np.array([a, b]), float(np.sqrt(max(0.0, c + a**2 + b**2)))


def _rounded(value_m: float) -> float:
    """To a tenth of a micrometre; meshes in single precision have no more."""
    return round(float(value_m), 7) + 0.0
