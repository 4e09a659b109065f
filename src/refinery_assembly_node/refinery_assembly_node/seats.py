"""Where parts belong: seats in the arm's base frame, from estimates and from where earlier parts really sit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from refinery.rotations import Poses
from refinery.sequence.standing import standing
from refinery.sequence.step import FRAME, PART, StepSpec


def facing(seat: Poses, step: StepSpec) -> Poses:
    """Return a seat turned about its axis to the allowed one nearest to how the part stands in its tray.

    Args:
        seat: Batch of one.
        step: Its allowed turns and its tray.
    """
    turned = [seat @ Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, turn)) for turn in step.seats_rad]
    tray = step.tray.pose().rotation.inv()
    return min(turned, key=lambda each: float((tray * each.rotation).magnitude()[0]))


def as_if_unturned(part: Poses, seat: Poses, step: StepSpec) -> Poses:
    """Return a seated part's tip frame without the allowed turn that it was inserted with, batch of one.

    Args:
        part: Its tip frame.
        seat: Where it would be seated unturned.
        step: Its allowed turns.
    """
    turned = [part @ Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, -turn)) for turn in step.seats_rad]
    reference = seat.rotation.inv()
    return min(turned, key=lambda each: float((reference * each.rotation).magnitude()[0]))


def seat_of(step: StepSpec, base: Poses, sitting: Mapping[str, Poses]) -> Poses:
    """Return where a part's tip frame belongs, in the arm's base frame, before one of the allowed turns is chosen.

    Args:
        step: The part's step.
        base: The assembly's base in the arm's base frame, batch of one.
        sitting: Tip frames of earlier parts as they were let go, in the arm's base frame, by part.
    """
    place = step.socket
    if place.mode == FRAME:
        return base @ place.pose()
    return standing(sitting[place.part]) @ place.pose() if place.mode == PART else place.pose()


def draw_seed(seed: int, step: int, attempt: int, purpose: str) -> int:
    """Return the seed of one random choice, a function of where in the run it is made, >= 0."""
    digest = hashlib.sha256(f"{seed}/{step}/{attempt}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def pose_numbers(pose: Poses) -> dict[str, list[float]]:
    """Return a pose, batch of one, as JSON has it."""
    return {"pos_m": pose.pos_m[0].tolist(), "quat_xyzw": pose.quat_xyzw[0].tolist()}


def pose_of(numbers: Mapping[str, Any]) -> Poses:
    """Return the pose that :func:`pose_numbers` wrote."""
    return Poses.single(np.asarray(numbers["pos_m"]), np.asarray(numbers["quat_xyzw"]))
