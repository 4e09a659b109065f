"""Cross-sections of plugs as a task file states them (``plug.section``): parametric families and free polygons.

What can be told by the numbers alone is checked here; :mod:`refinery_sim.section` builds the shape and checks the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from refinery.config import check

Ring = tuple[tuple[float, float], ...]

MAX_REACH_M = 0.1
"""No point of a section is further from the plug's axis along x or y, [m]."""
FAMILIES: dict[str, tuple[str, ...]] = {
    "round": ("diameter",),
    "rectangle": ("x", "y"),
    "square": ("edge",),
    # Two of its sides face +y and -y: the gripper's pads.
    "hexagon": ("across flats",),
    # The flat faces +x.
    "d": ("diameter", "distance of the flat from the axis"),
    # The corner where the arms meet is at -x, -y.
    "l": ("outer x", "outer y", "width of the arm along y", "width of the arm along x"),
    # The bar is at +y.
    "t": ("outer x", "outer y", "width of the bar", "width of the stem"),
    "cross": ("outer x", "outer y", "width of the arms"),
    # The key stands out of the circle towards +x.
    "keyed_round": ("diameter", "key width", "key height over the circle"),
    # Side by side along x.
    "two_prongs": ("prong x", "prong y", "spacing"),
    # Two at -y, side by side along x, and one in the middle at +y.
    "three_prongs": ("prong x", "prong y", "spacing x", "spacing y"),
    "polygon": (),
}
"""Names of the measures in ``size_m`` of every family."""


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
        """Validate the family, its measures and their proportions."""
        check(self.family in FAMILIES, "family", f"one of {', '.join(FAMILIES)}", self.family)
        names = FAMILIES[self.family]
        expected = f"{len(names)} positive lengths ({', '.join(names)})" if names else "nothing (a polygon has rings_m)"
        check(len(self.size_m) == len(names) and all(v > 0 for v in self.size_m), "size_m", expected, self.size_m)
        if self.family == "polygon":
            _check_rings(self.rings_m)
        else:
            check(not self.rings_m, "rings_m", f"nothing (a {self.family} has size_m)", self.rings_m)
            _check_proportions(self.family, self.size_m)


def _check_rings(rings: tuple[Ring, ...]) -> None:
    check(len(rings) > 0, "rings_m", "at least one outline of (x, y) corners", rings)
    for ring in rings:
        check(len(ring) >= 3, "rings_m", "rings of at least 3 corners", ring)
        near = all(abs(value) <= MAX_REACH_M for corner in ring for value in corner)
        check(near, "rings_m", f"corners within {MAX_REACH_M:g} m of the axis", ring)


def _check_proportions(family: str, size: tuple[float, ...]) -> None:
    if family == "d":
        diameter, flat = size
        check(flat < diameter / 2, "size_m", "a distance of the flat from the axis under half the diameter", flat)
    elif family == "l":
        x, y, width_x, width_y = size
        check(width_x < x and width_y < y, "size_m", "arms thinner than the outer size", size)
    elif family == "t":
        x, y, bar, stem = size
        check(bar < y and stem < x, "size_m", "a bar and a stem thinner than the outer size", size)
    elif family == "cross":
        x, y, width = size
        check(width < min(x, y), "size_m", "arms thinner than the outer size", size)
    elif family == "keyed_round":
        diameter, key_width, _ = size
        check(key_width < diameter / 2, "size_m", "a key narrower than half the diameter", key_width)
    elif family == "two_prongs":
        x, _, spacing = size
        check(x < spacing, "size_m", "a spacing of the prongs' middles above their width", (x, spacing))
    elif family == "three_prongs":
        x, y, spacing_x, spacing_y = size
        check(x < spacing_x and y < spacing_y, "size_m", "spacings of the prongs' middles above their size", (x, y))
