"""RViz markers: the mixture, the candidates coloured by predicted success, the chosen states."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Vector3
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from refinery.initial_state import plug_pose
from refinery.mixture import Mixture
from refinery.rotations import Poses
from refinery_sampler_node.candidates import Choice
from refinery_sampler_node.conversions import pose_to_message
from refinery_sampler_node.ellipsoids import position_ellipsoids

_MOST_POINTS = 2000
_MOST_ARROWS = 50


def success_color(success: float) -> ColorRGBA:
    """Red for a predicted success of 0 over yellow to green for 1."""
    share = min(max(success, 0.0), 1.0)
    return ColorRGBA(r=min(1.0, 2 - 2 * share), g=min(1.0, 2 * share), b=0.1, a=0.9)


def choice_markers(mixture: Mixture, choice: Choice, socket: Poses, frame: str, stamp: Time) -> MarkerArray:
    """Draw a choice.

    Args:
        mixture: Over initial states.
        choice: What was looked at and chosen.
        socket: Socket estimate in the base frame, batch of one.
        frame: Name of the base frame.
        stamp: Time of the markers.

    Returns:
        Markers that replace those of the last choice.
    """

    def marker(namespace: str, index: int, kind: int, **values: Any) -> Marker:
        made = Marker(ns=namespace, id=index, type=kind, action=Marker.ADD, **values)
        made.header.frame_id, made.header.stamp = frame, stamp
        return made

    result = [Marker(action=Marker.DELETEALL)]
    for i, item in enumerate(position_ellipsoids(mixture, socket)):
        a, b, c = (2 * float(v) for v in item.half_axes_m)
        color = ColorRGBA(r=0.2, g=0.4, b=1.0, a=0.1 + 0.4 * item.weight)
        result.append(
            marker(
                "mixture", i, Marker.SPHERE, pose=pose_to_message(item.pose), scale=Vector3(x=a, y=b, z=c), color=color
            )
        )
    seen = plug_pose(socket, choice.seen[:_MOST_POINTS])
    points = marker("candidates", 0, Marker.POINTS, scale=Vector3(x=0.0007, y=0.0007, z=0.0))
    points.points = _points(seen.pos_m)
    points.colors = [success_color(float(p)) for p in choice.seen_success[:_MOST_POINTS]]
    result.append(points)
    chosen = plug_pose(socket, choice.theta[:_MOST_ARROWS])
    # The arrow points along the insertion: from 15 mm up the plug to its tip.
    tails = chosen @ Poses.single([0.0, 0.0, 0.015], [0.0, 0.0, 0.0, 1.0])
    for i in range(len(chosen)):
        arrow = marker("chosen", i, Marker.ARROW, scale=Vector3(x=0.001, y=0.003, z=0.004))
        arrow.points = _points(np.vstack([tails.pos_m[i], chosen.pos_m[i]]))
        arrow.color = success_color(float(choice.success.mean[i]))
        result.append(arrow)
    return MarkerArray(markers=result)


def _points(pos_m: NDArray[np.float64]) -> list[Point]:
    return [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in pos_m]
