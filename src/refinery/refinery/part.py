"""The shape of the held part as the nodes need it: computed when a bundle is exported, read from ``part.json``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.config import check
from refinery.piece import Piece
from refinery.rotations import Array
from refinery.section import MAX_REACH_M
from refinery.task import MAX_LENGTH_M

MAX_CORNERS = 4000
"""Largest accepted number of corners of the section's convex hull."""
MAX_PIECES = 4000
"""Largest accepted number of convex pieces."""
TOLERANCE_M = 1e-6
"""Pieces may reach so far outside the section's bounds, [m]: they are exact but for rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartGeometry:
    """The held part in the plug's frame: tip in the plane z = 0, its axis along z."""

    symmetry: int
    """Order of the section's rotational symmetry about the axis: 1 for only one way round, 0 for a round section."""
    corners_m: Array
    """Corners of the section's convex hull, shape (N, 2), [m]."""
    pieces: tuple[Piece, ...]
    """Convex solids that fill the part; they may overlap."""

    def __post_init__(self) -> None:
        """Validate shapes and ranges, and that the pieces lie within the section's bounds."""
        corners = self.corners_m
        right = corners.ndim == 2 and corners.shape[1:] == (2,) and 3 <= len(corners) <= MAX_CORNERS
        check(right, "corners_m", f"3 to {MAX_CORNERS} corners (x, y)", f"the shape {corners.shape}")
        near = bool(np.all(np.abs(corners) <= MAX_REACH_M))
        check(near, "corners_m", f"corners within {MAX_REACH_M:g} m of the axis", "others")
        check(min(self.half_size_m) > 0, "corners_m", "corners off the axis along x and y", "none")
        expected = f"0 (round) to {len(corners)}, the number of corners"
        check(0 <= self.symmetry <= len(corners), "symmetry", expected, self.symmetry)
        count = len(self.pieces)
        check(1 <= count <= MAX_PIECES, "pieces", f"1 to {MAX_PIECES} convex solids", count)
        high = np.array([*self.half_size_m, MAX_LENGTH_M])
        low = np.array([-high[0], -high[1], 0.0])
        for i, piece in enumerate(self.pieces):
            lowest, highest = piece.bounds_m
            inside = bool(np.all(lowest >= low - TOLERANCE_M) and np.all(highest <= high + TOLERANCE_M))
            check(inside, f"pieces[{i}]", "a solid within the bounds of the section", "one outside")

    @property
    def half_size_m(self) -> tuple[float, float]:
        """Largest distance of the section from the plug's axis along x and y, [m]."""
        x, y = np.abs(self.corners_m).max(axis=0).tolist()
        return x, y

    @property
    def extent_m(self) -> tuple[float, float]:
        """Lowest and highest point of the pieces along the plug's axis, [m]."""
        bounds = [piece.bounds_m for piece in self.pieces]
        return float(min(low[2] for low, _ in bounds)), float(max(high[2] for _, high in bounds))
