"""Convex hulls of the arm's meshes, with few corners and a margin: what the planner checks for collisions.

MuJoCo collides meshes as their hulls, too; so do most planners' simplified models of this arm.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial import ConvexHull

from refinery.errors import NotReadyError
from refinery.rotations import Array

_FIRST_DIRECTIONS = 26
_MOST_CORNERS = 200


def padded_hull(points_m: Array, *, tolerance_m: float, padding_m: float) -> tuple[Array, NDArray[np.int64]]:
    """Wrap points into a polytope that contains them all and everything within a margin of them.

    Corners of the exact hull are taken until none of the others sticks out by more than the tolerance; then every
    corner moves outward until each face is that far out again, and the margin farther.

    Args:
        points_m: Shape (N, 3), not all in a plane, [m].
        tolerance_m: Larger values make fewer corners, > 0, [m].
        padding_m: The margin, >= 0, [m].

    Returns:
        Corners (V, 3) [m] and triangles (T, 3), rows of indices of corners.
    """
    corners, faces, outside_m = _chosen(points_m, tolerance_m)
    hull = ConvexHull(_moved_out(corners, faces, outside_m + padding_m))
    return hull.points[hull.vertices], np.searchsorted(hull.vertices, hull.simplices)


def read_obj(file: Path) -> Array:
    """Return the vertices of a Wavefront OBJ file, shape (N, 3), in its unit.

    Raises:
        NotReadyError: The file is not there or has no vertices.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NotReadyError(f"{file}: expected a mesh of the arm, got {error}; run `make distclean setup`") from None
    rows = [line.split()[1:4] for line in lines if line.startswith("v ")]
    if not rows:
        raise NotReadyError(f"{file}: expected vertices ('v x y z'), got none; run `make distclean setup`")
    return np.array(rows, dtype=np.float64)


def write_stl(file: Path, corners_m: Array, triangles: NDArray[np.int64]) -> None:
    """Write triangles as a binary STL file; the order of their corners is kept.

    Args:
        file: To write.
        corners_m: Shape (V, 3), [m].
        triangles: Rows of three indices, shape (T, 3).
    """
    records = np.zeros(len(triangles), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    records["corners"] = corners_m[triangles]
    file.write_bytes(bytes(80) + np.uint32(len(records)).tobytes() + records.tobytes())


def _chosen(points_m: Array, tolerance_m: float) -> tuple[Array, ConvexHull, float]:
    """Pick corners until the others protrude by less than the tolerance; also returns by how much they do."""
    corners = points_m[ConvexHull(points_m).vertices]
    picked = np.unique(np.argmax(corners @ _directions(_FIRST_DIRECTIONS).T, axis=0))
    while True:
        hull = ConvexHull(corners[picked])
        heights = corners @ hull.equations[:, :3].T + hull.equations[:, 3]
        farthest, outside = heights.argmax(axis=0), heights.max(axis=0)
        if outside.max() < tolerance_m or len(picked) >= _MOST_CORNERS:
            return corners[picked], hull, max(0.0, float(outside.max()))
        picked = np.union1d(picked, farthest[outside > max(tolerance_m, 0.5 * outside.max())])


def _moved_out(corners_m: Array, hull: ConvexHull, by_m: float) -> Array:
    """Move each corner by the shortest displacement that takes it ``by_m`` past every face it belongs to.

    In any direction the hull reaches farthest at a corner whose faces' normals span that direction, so that the new
    hull reaches at least ``by_m`` farther everywhere.
    """
    moved = corners_m.copy()
    for corner in hull.vertices:
        normals = hull.equations[(hull.simplices == corner).any(axis=1), :3]
        # Least distance programming (Lawson and Hanson): the shortest t with normals @ t >= 1.
        matrix = np.vstack([normals.T, np.ones(len(normals))])
        weights, _ = nnls(matrix, np.array([0.0, 0.0, 0.0, 1.0]))
        residual = matrix @ weights - [0.0, 0.0, 0.0, 1.0]
        moved[corner] -= residual[:3] / residual[3] * by_m
    return moved


def _directions(count: int) -> Array:
    """Spread unit vectors evenly (golden spiral), shape (count, 3)."""
    step = np.arange(count) + 0.5
    polar, around = np.arccos(1 - 2 * step / count), np.pi * (1 + np.sqrt(5)) * step
    return np.column_stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)])
