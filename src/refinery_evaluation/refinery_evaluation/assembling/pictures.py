"""The picture strip of an assembly: how the parts stand after each step, from the side and from the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from scipy.spatial import ConvexHull

from refinery.part import PartGeometry
from refinery.piece import Piece
from refinery.rotations import Array, Poses
from refinery.sequence.sequence import BaseSpec
from refinery.sequence.sequence import Sequence as Assembly
from refinery_evaluation.report.style import new_figure, png, styled

_COLORS = ("#b5562c", "#1b6a93", "#8a6fb0", "#2a8f6b", "#c29b2f", "#5d6d7e", "#a03e63")
_BASE_COLOR = "#c9ced4"
_SIDES = (("x", 0), ("y", 1))
_MARGIN_M = 0.01
"""Height that is shown above the highest part, [m]."""
_COLUMNS_IN, _TITLES_IN, _TALLEST_IN = 6.2, 0.6, 6.0
"""Width of all columns together, height of titles, and greatest height of the strip, [inch]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """The parts at one moment."""

    title: str
    """What has just been done."""
    parts: Mapping[str, Poses]
    """True tip frames in the frame of the base of the parts that are shown, by part, each a batch of one."""


def strip_png(sequence: Assembly, shapes: Mapping[str, PartGeometry], snapshots: Sequence[Snapshot]) -> bytes:
    """Draw the strip.

    Args:
        sequence: The sequence.
        shapes: Shapes of its parts, by task.
        snapshots: At least one, in order.

    Returns:
        A PNG file.
    """
    base = sequence.base
    pieces = {step.part: shapes[step.task].pieces for step in sequence.steps}
    top_m = max((_top_m(pose, pieces[part]) for shot in snapshots for part, pose in shot.parts.items()), default=0.0)
    aspect = (base.size_m[2] + top_m + _MARGIN_M) / base.size_m[0]
    with styled():
        figure = new_figure(min(_TALLEST_IN, _TITLES_IN + len(_SIDES) * _COLUMNS_IN * aspect / len(snapshots)))
        axes = figure.subplots(2, len(snapshots), squeeze=False)
        for row, (name, axis) in enumerate(_SIDES):
            for column, snapshot in enumerate(snapshots):
                _draw(axes[row][column], base, pieces, snapshot, axis)
                axes[row][column].set_ylim(-1000 * base.size_m[2], 1000 * (top_m + _MARGIN_M))
                axes[row][column].set_title(snapshot.title if row == 0 else "", fontsize=8)
            axes[row][0].set_ylabel(f"along {name}", fontsize=8)
        return png(figure)


def _draw(axes: Axes, base: BaseSpec, pieces: Mapping[str, Sequence[Piece]], snapshot: Snapshot, axis: int) -> None:
    half_mm, height_mm = 500 * base.size_m[axis], 1000 * base.size_m[2]
    axes.add_patch(Rectangle((-half_mm, -height_mm), 2 * half_mm, height_mm, color=_BASE_COLOR, zorder=0))
    for pocket in base.pockets:
        width, middle = 1000 * pocket.size_m[axis], 1000 * pocket.centre_m[axis]
        corner = (middle - width / 2, -1000 * pocket.depth_m)
        axes.add_patch(Rectangle(corner, width, 1000 * pocket.depth_m, color="white", zorder=1))
    for index, part in enumerate(pieces):
        for piece in pieces[part] if part in snapshot.parts else ():
            outline = 1000 * _outline(snapshot.parts[part], piece, axis)
            color = _COLORS[index % len(_COLORS)]
            axes.add_patch(Polygon(outline, color=color, alpha=0.35, linewidth=0.6, zorder=2 + index))
    axes.set_xlim(-half_mm, half_mm)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)


def _outline(pose: Poses, piece: Piece, axis: int) -> Array:
    """Return the outline of a piece seen along the other horizontal axis of the base, shape (N, 2), [m]."""
    seen = _corners(pose, piece)[:, [axis, 2]]
    return np.asarray(seen[ConvexHull(seen).vertices])


def _top_m(pose: Poses, pieces: Sequence[Piece]) -> float:
    return max(float(_corners(pose, piece)[:, 2].max()) for piece in pieces)


def _corners(pose: Poses, piece: Piece) -> Array:
    """Return the corners of a piece in the frame of the base, shape (N, 3), [m]."""
    corners = piece.corners_m
    if not len(corners):
        low, high = piece.bounds_m
        corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    return np.asarray(pose.rotation.apply(corners) + pose.pos_m)
