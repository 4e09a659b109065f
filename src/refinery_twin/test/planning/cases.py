"""Poses, names and expectations that the tests of planning share."""

from __future__ import annotations

import numpy as np
import pytest

from refinery.rotations import Array, Poses
from refinery_twin.planning import MoveItErrorCode, PlanningError

HAND = ("panda_hand", "panda_leftfinger", "panda_rightfinger")
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])


def at(x: float, y: float, z: float, roll: float = 0.0, pitch: float = 0.0, yaw: float = 0.0) -> Poses:
    return Poses.from_xyz_rpy((x, y, z), (roll, pitch, yaw))


def down(x: float, y: float, z: float, yaw: float = 0.0) -> Poses:
    """A tool pose that points down."""
    return at(x, y, z, np.pi, 0.0, yaw)


def batch(poses: list[Poses]) -> Poses:
    """Several batches of one as one."""
    return Poses(
        pos_m=np.vstack([pose.pos_m for pose in poses]), quat_xyzw=np.vstack([pose.quat_xyzw for pose in poses])
    )


def turned(base_rad: float) -> Array:
    """The home posture with the first joint turned."""
    return HOME + base_rad * np.eye(7)[0]


def refused(code: MoveItErrorCode, sentence: str) -> pytest.RaisesExc:
    """Expect a refusal with a code and a sentence that matches."""
    return pytest.raises(PlanningError, match=sentence, check=lambda error: error.code is code)
