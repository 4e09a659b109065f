"""What an assembly is made of: a base that stands still and parts that move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import shapely

from refinery.config import check
from refinery.rotations import Poses
from refinery.section import Ring, SectionSpec
from refinery.success import PlugOffset
from refinery.task import SolidSpec, Task

LATERAL_TOLERANCE_M = 0.003
"""A part that is as deep as its seat counts as seated within this distance of the axis, [m]: the play of the parts that
it stands on adds up, and beside its own hole it would not be that deep."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartSpec:
    """A part and the insertion that seats it."""

    name: str
    """Of the part."""
    task: Task
    """Its insertion: shape, mass, grasp, friction, impedance and success test."""
    tray: Poses
    """Where its tip frame is in the tray, upright, in the arm's base frame, batch of one."""
    seat: Poses
    """Seated tip frame in the frame of ``parent``, batch of one."""
    parent: str = ""
    """Earlier part that the seat belongs to, as it sits; empty is the base."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedBase:
    """The part that is clamped."""

    solids: tuple[SolidSpec, ...]
    """What it is made of, in its own frame."""
    pose: Poses
    """Its frame in the arm's base frame where nothing else is said, batch of one."""
    friction: float = 0.4
    """Sliding friction coefficient; that of a part counts where it is larger."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartTruth:
    """Where a part really is."""

    pose: Poses
    """Tip frame in the arm's base frame, batch of one."""
    seated: bool
    """Whether it is in its seat, relative to its parent as that sits."""
    offset: PlugOffset
    """The part against that seat."""
    depth_m: float
    """How far it is in, [m]: 0 with its tip at the rim."""


def check_parts(parts: Sequence[PartSpec]) -> None:
    """Check that names are different and every parent comes before its part.

    Raises:
        ConfigError: They are not, or it does not.
    """
    names: list[str] = []
    for i, part in enumerate(parts):
        check(
            bool(part.name) and part.name not in names, f"parts[{i}].name", "a name that no other part has", part.name
        )
        known = part.parent == "" or part.parent in names
        check(known, f"parts[{i}].parent", f"nothing (the base) or an earlier part ({', '.join(names)})", part.parent)
        names.append(part.name)


def block_with_pockets(
    size_m: tuple[float, float, float], pockets: Sequence[tuple[tuple[float, float], tuple[float, float], float]]
) -> tuple[SolidSpec, ...]:
    """Return the solids of a rectangular block with rectangular pockets in its top.

    Args:
        size_m: Edges along x, y, z, [m]; the frame is in the middle of the top.
        pockets: Middle (x, y), edges (x, y) and depth of each, [m].
    """
    x, y, height = size_m
    levels = sorted({0.0, *(-depth for _, _, depth in pockets), -height})
    found = []
    for low, high in pairwise(levels):
        holes = [_ring(*middle, *size, clockwise=True) for middle, size, depth in pockets if -depth <= low]
        section = SectionSpec(family="polygon", rings_m=(_ring(0.0, 0.0, x, y), *holes))
        found.append(SolidSpec(section=section, low_m=low, high_m=high))
    return tuple(found)


def _ring(x: float, y: float, size_x: float, size_y: float, *, clockwise: bool = False) -> Ring:
    box = shapely.box(x - size_x / 2, y - size_y / 2, x + size_x / 2, y + size_y / 2, ccw=not clockwise)
    return tuple((float(a), float(b)) for a, b in box.exterior.coords[:-1])
