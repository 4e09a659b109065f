"""RViz markers: the mixture, accepted and rejected candidates, the chosen states, the approach, and a text legend."""

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
from refinery_ros.conversions import pose_message
from refinery_sampler_node.display.colors import CHOSEN, MIXTURE, legend, reason_color, success_color
from refinery_sampler_node.display.ellipsoids import position_ellipsoids
from refinery_sampler_node.sampling.displayed_choice import DisplayedChoice

NAMESPACES = ("mixture", "candidates", "rejected", "chosen", "approach", "legend")
"""Namespaces of the markers, which RViz switches on and off individually."""

_MOST_POINTS = 2000
_MOST_ARROWS = 50
_TEXT_M = 0.006
_LEGEND_M = (0.0, 0.09, 0.06)
"""Origin of the legend in the socket frame, next to the plate, [m]."""


class _MarkerFactory:
    """Makes markers that share a frame and a time."""

    def __init__(self, frame: str, stamp: Time) -> None:
        self._frame, self._stamp = frame, stamp

    def marker(self, namespace: str, index: int, kind: int, **values: Any) -> Marker:
        made = Marker(ns=namespace, id=index, type=kind, action=Marker.ADD, **values)
        made.header.frame_id, made.header.stamp = self._frame, self._stamp
        return made

    def cloud(self, namespace: str, tips: Poses, colors: list[ColorRGBA], size_m: float) -> Marker:
        made = self.marker(namespace, 0, Marker.POINTS, scale=Vector3(x=size_m, y=size_m, z=0.0))
        made.points, made.colors = _points(tips.pos_m), colors
        return made


def choice_markers(mixture: Mixture, shown: DisplayedChoice, frame: str, correction: str, stamp: Time) -> MarkerArray:
    """Draw a choice.

    Args:
        mixture: Over initial states.
        shown: The choice and the progress of its placement.
        frame: Name of the base frame.
        correction: What is done to socket estimates, in words.
        stamp: Time of the markers.

    Returns:
        Markers that replace those of the last choice.
    """
    factory = _MarkerFactory(frame, stamp)
    markers = [
        Marker(action=Marker.DELETEALL),
        *_mixture(factory, mixture, shown.socket),
        *_candidates(factory, shown),
        *_chosen(factory, shown),
        *_approach(factory, shown),
        *_legend(factory, shown, correction),
    ]
    return MarkerArray(markers=markers)


def _mixture(factory: _MarkerFactory, mixture: Mixture, socket: Poses) -> list[Marker]:
    markers = []
    for i, item in enumerate(position_ellipsoids(mixture, socket)):
        a, b, c = (2 * float(v) for v in item.half_axes_m)
        color = ColorRGBA(r=MIXTURE.r, g=MIXTURE.g, b=MIXTURE.b, a=0.1 + 0.4 * item.weight)
        pose = pose_message(item.pose)
        markers.append(
            factory.marker("mixture", i, Marker.SPHERE, pose=pose, scale=Vector3(x=a, y=b, z=c), color=color)
        )
    return markers


def _candidates(factory: _MarkerFactory, shown: DisplayedChoice) -> list[Marker]:
    """Point clouds of the plug's tip: accepted candidates by predicted success, rejected ones by reason."""
    choice = shown.choice
    tips = plug_pose(shown.socket, choice.seen[:_MOST_POINTS])
    reasons = choice.seen_reasons[:_MOST_POINTS]
    kept = np.array([not reason for reason in reasons], dtype=bool)
    success = choice.seen_success[:_MOST_POINTS][kept]
    markers = [factory.cloud("candidates", tips[kept], [success_color(float(p)) for p in success], 0.0007)]
    rejected = [*(reason for reason in reasons if reason), *shown.rejected]
    if rejected:
        by_moveit = plug_pose(shown.socket, choice.theta[: len(shown.rejected)])
        where = Poses(
            pos_m=np.vstack([tips[~kept].pos_m, by_moveit.pos_m]),
            quat_xyzw=np.vstack([tips[~kept].quat_xyzw, by_moveit.quat_xyzw]),
        )
        markers.append(factory.cloud("rejected", where, [reason_color(reason) for reason in rejected], 0.0012))
    return markers


def _chosen(factory: _MarkerFactory, shown: DisplayedChoice) -> list[Marker]:
    """Arrows along the insertion: from 15 mm up the plug to its tip."""
    choice, row = shown.choice, shown.chosen
    rows = np.arange(min(len(choice.theta), _MOST_ARROWS)) if row is None else np.array([row])
    tips = plug_pose(shown.socket, choice.theta[rows])
    tails = tips @ Poses.single([0.0, 0.0, 0.015], [0.0, 0.0, 0.0, 1.0])
    markers = []
    for i in range(len(tips)):
        arrow = factory.marker("chosen", i, Marker.ARROW, scale=Vector3(x=0.001, y=0.003, z=0.004))
        arrow.points = _points(np.vstack([tails.pos_m[i], tips.pos_m[i]]))
        arrow.color = success_color(float(choice.success.mean[rows[i]])) if row is None else CHOSEN
        markers.append(arrow)
    return markers


def _approach(factory: _MarkerFactory, shown: DisplayedChoice) -> list[Marker]:
    """The straight line of the tool down to the initial state, with a frame at its end."""
    if shown.approach is None:
        return []
    above, goal = shown.approach
    line = factory.marker("approach", 0, Marker.LINE_STRIP, scale=Vector3(x=0.001, y=0.0, z=0.0), color=CHOSEN)
    line.points = _points(np.vstack([above.pos_m, goal.pos_m]))
    markers = [line]
    axes = goal.rotation.as_matrix()[0].T
    for i, axis in enumerate(axes, start=1):
        arrow = factory.marker("approach", i, Marker.ARROW, scale=Vector3(x=0.0015, y=0.003, z=0.004))
        arrow.points = _points(np.vstack([goal.pos_m[0], goal.pos_m[0] + 0.02 * axis]))
        arrow.color = ColorRGBA(r=float(i == 1), g=float(i == 2), b=float(i == 3), a=1.0)
        markers.append(arrow)
    return markers


def _legend(factory: _MarkerFactory, shown: DisplayedChoice, correction: str) -> list[Marker]:
    choice = shown.choice
    reasons = [*(reason for reason in choice.seen_reasons if reason), *shown.rejected]
    row = 0 if shown.chosen is None else shown.chosen
    best = float(choice.success.mean[row])
    lines = [
        (f"{choice.candidates} candidates, coloured red to green by predicted success", success_color(1.0)),
        *legend(reasons),
        ("mixture over successes, 2 sigma", ColorRGBA(r=MIXTURE.r, g=MIXTURE.g, b=MIXTURE.b, a=1.0)),
        (f"chosen: predicted success {100 * best:.0f} %", success_color(best) if shown.chosen is None else CHOSEN),
        (f"correction: {correction}", MIXTURE),
    ]
    markers = []
    for i, (text, color) in enumerate(lines):
        offset = np.array(_LEGEND_M) - [0.0, 0.0, 1.3 * _TEXT_M * i]
        place = pose_message(shown.socket @ Poses.single(offset, [0.0, 0.0, 0.0, 1.0]))
        size = Vector3(x=0.0, y=0.0, z=_TEXT_M)
        markers.append(
            factory.marker("legend", i, Marker.TEXT_VIEW_FACING, pose=place, scale=size, color=color, text=text)
        )
    return markers


def _points(pos_m: NDArray[np.float64]) -> list[Point]:
    return [Point(x=float(x), y=float(y), z=float(z)) for x, y, z in pos_m]
