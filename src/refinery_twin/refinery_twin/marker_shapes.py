"""RViz markers as shapes that the twin's camera can see."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker

from refinery_ros.conversions import pose_from_message
from refinery_twin.decoration import ARROW, ELLIPSOID, LABEL, LINE, Decoration


def shapes(marker: Marker) -> list[Decoration]:
    """Turn a marker into shapes.

    Args:
        marker: A sphere, points, an arrow with two points, a line strip or a text, in the base frame; its pose counts
            for spheres and texts.

    Returns:
        Shapes in the base frame; none for other kinds of markers.
    """
    make = {
        Marker.SPHERE: _sphere,
        Marker.POINTS: _points,
        Marker.ARROW: _arrow,
        Marker.LINE_STRIP: _line,
        Marker.TEXT_VIEW_FACING: _text,
    }.get(marker.type)
    return [] if make is None or marker.action != Marker.ADD else list(make(marker))


def _sphere(marker: Marker) -> Iterator[Decoration]:
    scale, turn = marker.scale, pose_from_message(marker.pose).rotation.as_matrix()[0]
    yield Decoration(
        kind=ELLIPSOID,
        pos_m=_xyz(marker.pose.position),
        size_m=(scale.x / 2, scale.y / 2, scale.z / 2),
        axes=tuple(turn.ravel().tolist()),
        rgba=_rgba(marker.color),
    )


def _points(marker: Marker) -> Iterator[Decoration]:
    half = marker.scale.x / 2
    for point, color in zip(marker.points, marker.colors, strict=True):
        yield Decoration(kind=ELLIPSOID, pos_m=_xyz(point), size_m=(half, half, half), rgba=_rgba(color))


def _arrow(marker: Marker) -> Iterator[Decoration]:
    begin, end = (_xyz(point) for point in marker.points)
    half = marker.scale.x / 2
    yield Decoration(kind=ARROW, pos_m=begin, end_m=end, size_m=(half, half, half), rgba=_rgba(marker.color))


def _line(marker: Marker) -> Iterator[Decoration]:
    half, corners = marker.scale.x / 2, [_xyz(point) for point in marker.points]
    for begin, end in pairwise(corners):
        if not np.allclose(begin, end):
            yield Decoration(kind=LINE, pos_m=begin, end_m=end, size_m=(half, half, half), rgba=_rgba(marker.color))


def _text(marker: Marker) -> Iterator[Decoration]:
    yield Decoration(kind=LABEL, pos_m=_xyz(marker.pose.position), rgba=_rgba(marker.color), text=marker.text)


def _xyz(point: Point) -> tuple[float, float, float]:
    return (point.x, point.y, point.z)


def _rgba(color: ColorRGBA) -> tuple[float, float, float, float]:
    return (color.r, color.g, color.b, color.a)
