"""Sockets that are stated as solids: their convex pieces, and whether the plug passes them and comes to rest."""

from __future__ import annotations

import shapely
from shapely import MultiPolygon, Polygon, affinity

from refinery.config import check
from refinery.piece import Piece
from refinery.section import SectionSpec
from refinery.task import SocketSpec, SolidSpec
from refinery_sim.decompose import NOTHING_M2, SAME_M, convex_parts, is_rectilinear, rectangles
from refinery_sim.pieces import chamfered_prism, prism
from refinery_sim.planar import common
from refinery_sim.section import section_shape

CLEARANCE_TOLERANCE_M = 1e-6
"""By how much the clearance that is stated may differ from the one that is measured, [m]."""


def solid_pieces(solid: SolidSpec) -> list[Piece]:
    """Return a solid's convex pieces in the frame it is stated in.

    Raises:
        ConfigError: Its section makes no shape, or is not convex and yet chamfered.
    """
    shape = solid_shape(solid)
    if solid.chamfer_m > 0:
        return chamfered_prism(shape, solid.low_m, solid.high_m, solid.chamfer_m)
    parts = rectangles(shape, trim=True) if is_rectilinear(shape) else convex_parts(shape)
    return [prism(part, solid.low_m, solid.high_m) for part in parts]


def solid_shape(solid: SolidSpec) -> MultiPolygon:
    """Return a solid's cross-section where it stands, [m]."""
    return affinity.translate(section_shape(solid.section), *solid.centre_m)


def least_clearance_m(section: SectionSpec, socket: SocketSpec) -> float:
    """Return the least distance between a seated plug and the solids that it passes on its way down, [m].

    A plug is the same at every height, so that it passes all that stands higher than its seat.
    """
    plug = section_shape(section)
    passed = [solid_shape(solid) for solid in socket.solids if solid.high_m > SAME_M]
    return float(min(shape.distance(plug) for shape in passed))


def check_solids(section: SectionSpec, socket: SocketSpec) -> None:
    """Check that a plug passes the solids with the clearance that is stated and comes to rest on one of them.

    Raises:
        ConfigError: It does not; the message has the clearance that was measured, or the tops there are.
    """
    plug = section_shape(section)
    for i, solid in enumerate(socket.solids):
        overlap = common(plug, solid_shape(solid)).area > NOTHING_M2
        key = f"socket.solids[{i}].high_m"
        check(not overlap or solid.high_m < SAME_M, key, "<= 0 (it stands in the way of the plug)", solid.high_m)
    found = least_clearance_m(section, socket)
    same = abs(found - socket.clearance_m) < CLEARANCE_TOLERANCE_M
    check(same, "socket.clearance_m", f"{found:.6g} m (measured between plug and solids)", socket.clearance_m)
    seats = [solid for solid in socket.solids if abs(solid.high_m) < SAME_M]
    rests = any(common(plug, solid_shape(solid)).area > NOTHING_M2 for solid in seats)
    tops = [solid.high_m for solid in socket.solids]
    check(rests, "socket.solids", "a solid under the plug with high_m: 0.0, where it rests", tops)


def fingers_m(section: SectionSpec, width_m: float, thickness_m: float) -> tuple[Polygon, Polygon]:
    """Return what two fingers, closed along y on a plug, cover in its plane: two rectangles, [m]."""
    low_y, high_y = (section_shape(section).bounds[i] for i in (1, 3))
    return (
        shapely.box(-width_m / 2, low_y - thickness_m, width_m / 2, low_y),
        shapely.box(-width_m / 2, high_y, width_m / 2, high_y + thickness_m),
    )
