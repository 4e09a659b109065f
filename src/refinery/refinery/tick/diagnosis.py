"""Why an insertion ended as it did: where the plug is, how far off and turned, and what its start had of its own.

Like the outcome it goes by the measured pose and the socket estimate; nobody on a robot knows the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from refinery.initial_state import THETA_NAMES, theta_of
from refinery.part import PartGeometry
from refinery.rotations import Array, Poses
from refinery.symmetry import nearest_equivalent, remaining_turn_rad
from refinery.task import Task
from refinery.theta_units import shown_unit
from refinery.tick.start_check import StartTolerance

TOUCH_M = 0.002
"""A plug whose lowest corner is at most so high over the rim stands on it, [m]: what estimates leave open."""
IN_M = 0.001
"""A tip that is this far below the rim and its chamfer is in the hole, [m]."""


class Place(IntEnum):
    """Where the plug is; the values of refinery_msgs/Diagnosis."""

    UNKNOWN = 0
    SEATED = 1
    PARTLY_IN = 2
    ON_RIM = 3
    ABOVE = 4


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The end of an insertion."""

    place: Place
    """Where the plug is."""
    x_m: float
    """Tip off the socket's axis along x of the socket, [m]."""
    y_m: float
    """The same along y, [m]."""
    depth_m: float
    """Tip below the rim, [m]."""
    tilt_rad: float
    """Angle between the axes of plug and socket, [rad]."""
    turn_rad: float
    """Turn about the axis from the nearest way round that fits, signed, [rad]."""
    wrench: tuple[float, ...]
    """Last external wrench, base frame, [N] and [Nm]."""
    outside_trained: tuple[str, ...]
    """Dimensions of the initial state outside the box that the base policy was trained in."""
    message: str
    """All of it in one sentence."""


def diagnose(
    task: Task,
    part: PartGeometry,
    *,
    socket: Poses,
    plug: Poses,
    seated: bool,
    wrench: Sequence[float],
    start: Poses | None,
    grasp: Array,
) -> Diagnosis:
    """Describe the end of an insertion.

    Args:
        task: Depth, chamfer and boxes.
        part: Shape of the plug.
        socket: Socket estimate, base frame, batch of one.
        plug: Plug at the end, base frame, batch of one.
        seated: Whether it counts as seated (:func:`refinery.tick.outcome.seated`).
        wrench: Last external wrench, base frame, [N] and [Nm].
        start: Plug at the first policy step, base frame, batch of one; None if there was none.
        grasp: How the plug sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`.
    """
    relative = socket.inverse() @ plug
    x, y, height = (float(v) for v in relative.pos_m[0])
    axis = relative.rotation.as_matrix()[0]
    corners = np.c_[part.corners_m, np.zeros(len(part.corners_m))]
    lowest = height + float((corners @ axis[2]).min())
    depth = task.rim_height_m - height
    place = Place.SEATED if seated else _place(task, depth, task.rim_height_m - lowest)
    tilt = math.acos(min(1.0, max(-1.0, float(axis[2, 2]))))
    turn = float(remaining_turn_rad(relative.quat_xyzw, part.symmetry)[0])
    outside = () if start is None else _outside(task, part, socket, start, grasp)
    return Diagnosis(
        place=place,
        x_m=x,
        y_m=y,
        depth_m=depth,
        tilt_rad=tilt,
        turn_rad=turn,
        wrench=tuple(float(v) for v in wrench),
        outside_trained=tuple(name for name, _ in outside),
        message=_sentence(task, place, depth, x, y, tilt, turn, wrench, [words for _, words in outside]),
    )


def _place(task: Task, depth_m: float, lowest_depth_m: float) -> Place:
    if depth_m > task.socket.chamfer_m + IN_M:
        return Place.PARTLY_IN
    return Place.ON_RIM if lowest_depth_m > -TOUCH_M else Place.ABOVE


def _outside(task: Task, part: PartGeometry, socket: Poses, start: Poses, grasp: Array) -> list[tuple[str, str]]:
    """Name and describe the dimensions of the start that lie outside the trained box by more than placing explains."""
    facing = nearest_equivalent(socket, start, part.symmetry)
    theta = theta_of(facing, start, grasp)[0]
    tolerance, box = StartTolerance.for_task(task), task.initial_state.trained
    margin = [tolerance.position_m] * 3 + [tolerance.angle_rad] * 3 + [1e-9] * 3
    found = []
    for i, name in enumerate(THETA_NAMES):
        if not box.low[i] - margin[i] <= theta[i] <= box.high[i] + margin[i]:
            factor, unit = shown_unit(name)
            low, high = factor * box.low[i], factor * box.high[i]
            found.append((name, f"{name} {factor * theta[i]:.1f} {unit} (trained {low:.1f} to {high:.1f})"))
    return found


def _sentence(
    task: Task,
    place: Place,
    depth_m: float,
    x_m: float,
    y_m: float,
    tilt_rad: float,
    turn_rad: float,
    wrench: Sequence[float],
    outside: list[str],
) -> str:
    hole_mm, depth_mm = 1e3 * task.socket.depth_m, 1e3 * depth_m
    where = {
        Place.SEATED: "the plug is seated",
        Place.PARTLY_IN: f"the plug is partly in, {depth_mm:.1f} of {hole_mm:.1f} mm deep",
        Place.ON_RIM: "the plug stands on the rim",
        Place.ABOVE: f"the plug is above the rim, its tip {-depth_mm:.1f} mm over it",
        Place.UNKNOWN: "where the plug is was not measured",
    }[place]
    force = math.hypot(*wrench[:3])
    text = (
        f"{where}; off the axis by {1e3 * x_m:+.1f} mm in x and {1e3 * y_m:+.1f} mm in y, tilted by "
        f"{math.degrees(tilt_rad):.1f} deg, turned by {math.degrees(turn_rad):+.1f} deg; measured force {force:.1f} N"
    )
    missed = outside and place is not Place.SEATED
    return text + (f"; it started outside the trained box: {', '.join(outside)}" if missed else "")
