"""Convex solids that a part is made of: boxes, upright cylinders and convex hulls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.rotations import Array


@dataclass(frozen=True, kw_only=True, eq=False)
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

    @property
    def bounds_m(self) -> tuple[Array, Array]:
        """Lower and upper corner (3,) of the box along the axes of the frame that the solid fits in, [m]."""
        if self.kind == "cylinder":
            reach = self.half_size_m[[0, 0, 1]]
            return self.centre_m - reach, self.centre_m + reach
        return self.corners_m.min(axis=0), self.corners_m.max(axis=0)


def box(centre_m: Array, half_size_m: Array, axes: Array) -> Piece:
    """Return a box with its corners."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    points = centre_m + (signs * half_size_m) @ axes.T
    volume = float(8 * np.prod(half_size_m))
    return Piece(kind="box", centre_m=centre_m, half_size_m=half_size_m, axes=axes, corners_m=points, volume_m3=volume)


def cylinder(centre_m: Array, half_size_m: Array) -> Piece:
    """Return an upright cylinder by its middle (3,), and its radius and half its height (2,)."""
    radius, half = half_size_m
    return Piece(
        kind="cylinder",
        centre_m=centre_m,
        half_size_m=half_size_m,
        axes=np.eye(3),
        corners_m=np.zeros((0, 3)),
        volume_m3=float(2 * half * np.pi * radius**2),
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
