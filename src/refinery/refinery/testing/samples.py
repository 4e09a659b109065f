"""Samples for the tests: made of poses, and changed in some fields."""

from __future__ import annotations

from typing import Any, TypeVar

from refinery.rotations import Poses
from refinery.tick.samples import Inputs, PoseSample, RobotSample, WrenchSample

FIELDS: dict[type, tuple[str, ...]] = {
    PoseSample: ("pos_m", "quat_xyzw", "stamp_s"),
    WrenchSample: ("wrench", "stamp_s"),
    RobotSample: ("mode", "errors", "stamp_s"),
    Inputs: ("measured", "estimate", "wrench", "robot", "now_s", "wrong_frame"),
}
"""What each kind is made of."""
Sample = TypeVar("Sample", PoseSample, WrenchSample, RobotSample, Inputs)


def sample(poses: Poses, stamp_s: float) -> PoseSample:
    """Turn a batch of one into a sample with a stamp [s]."""
    return PoseSample(
        pos_m=tuple(poses.pos_m[0].tolist()), quat_xyzw=tuple(poses.quat_xyzw[0].tolist()), stamp_s=stamp_s
    )


def changed(given: Sample, **changes: Any) -> Sample:
    """Return a copy of a sample, or of all inputs, with some fields changed."""
    return type(given)(**{name: getattr(given, name) for name in FIELDS[type(given)]} | changes)
