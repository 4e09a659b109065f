"""Corrupts messages: poses, wrenches and robot states, as far as they have the field concerned."""

from __future__ import annotations

import math
from typing import Any

from refinery_twin.faults.schedule import Fault

NOT_UNIT = 1.3
"""Factor that makes a quaternion invalid."""


def corrupt(message: Any, fault: Fault, now_s: float) -> None:
    """Change a message in place by the faults that change single messages; other faults leave it unchanged.

    Args:
        message: To be changed.
        fault: One that is on.
        now_s: Simulated time, [s]; some faults grow with it.
    """
    change = _CHANGES.get(fault.kind)
    if change is not None:
        change(message, fault.magnitude)
    elif fault.kind in _GROWING:
        _GROWING[fault.kind](message, fault.magnitude * (now_s - fault.begins_s))


def _nan(message: Any, magnitude: float) -> None:
    vector = message.pose.position if hasattr(message, "pose") else message.wrench.force
    vector.y = math.nan


def _bad_quaternion(message: Any, magnitude: float) -> None:
    orientation = message.pose.orientation
    for name in ("x", "y", "z", "w"):
        setattr(orientation, name, NOT_UNIT * getattr(orientation, name))


def _future(message: Any, magnitude: float) -> None:
    _shift_stamp(message, magnitude)


def _past(message: Any, magnitude: float) -> None:
    _shift_stamp(message, -magnitude)


def _shift_stamp(message: Any, by_s: float) -> None:
    stamp = message.header.stamp
    nanoseconds = max(stamp.sec * 1_000_000_000 + stamp.nanosec + round(by_s * 1e9), 0)
    stamp.sec, stamp.nanosec = divmod(nanoseconds, 1_000_000_000)


def _jump(message: Any, magnitude: float) -> None:
    message.pose.position.x += magnitude


def _turn(message: Any, magnitude: float) -> None:
    """Rotate about the pose's own z axis, by the quaternion product, so that an invalid quaternion stays invalid."""
    q, sine, cosine = message.pose.orientation, math.sin(magnitude / 2), math.cos(magnitude / 2)
    q.x, q.y, q.z, q.w = (
        q.x * cosine + q.y * sine,
        q.y * cosine - q.x * sine,
        q.z * cosine + q.w * sine,
        q.w * cosine - q.z * sine,
    )


def _bias(message: Any, magnitude: float) -> None:
    message.wrench.force.x += magnitude


def _spike(message: Any, magnitude: float) -> None:
    message.wrench.force.z += magnitude


def _wrong_frame(message: Any, magnitude: float) -> None:
    message.header.frame_id = "camera"


_CHANGES = {
    "nan": _nan,
    "bad_quaternion": _bad_quaternion,
    "stamp_future": _future,
    "stamp_past": _past,
    "jump": _jump,
    "turn": _turn,
    "flip": _turn,
    "wrench_spike": _spike,
    "wrench_bias": _bias,
    "wrong_frame": _wrong_frame,
}
_GROWING = {"drift": _jump, "drift_turn": _turn}
"""Kinds whose magnitude grows with the time since the fault began."""
