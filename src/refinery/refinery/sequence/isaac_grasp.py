"""Grasps of an ``isaac_grasp`` 1.0 file: how far the fingers close, and where the hand is on the part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinery import strict_yaml
from refinery.config import check
from refinery.errors import ConfigError
from refinery.rotations import Poses

FORMAT, VERSION = "isaac_grasp", 1.0
"""What is read."""
_UNIT = 1e-3
"""Largest difference of a quaternion's length from 1: files have five digits."""
_HAND_FROM_TOOL = Poses.from_xyz_rpy((0.0, 0.0, 0.1034), (0.0, 0.0, 0.0))
"""Tool frame of the Franka hand in the frame of its body, ``panda_hand`` or ``fr3_hand``."""


@dataclass(frozen=True, kw_only=True)
class HandPoseSpec:
    """Pose of the hand's body frame in the part's tip frame."""

    position_m: tuple[float, float, float]
    """Its origin, [m]."""
    orientation_wxyz: tuple[float, float, float, float]
    """Its orientation, a unit quaternion."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        near = all(abs(v) <= 1.0 for v in self.position_m)
        check(near, "position_m", "three values in [-1, 1] m", self.position_m)
        length = math.hypot(*self.orientation_wxyz)
        check(abs(length - 1) <= _UNIT, "orientation_wxyz", "a unit quaternion w, x, y, z", self.orientation_wxyz)

    def tool(self) -> Poses:
        """Pose of the tool in the part's tip frame, batch of one."""
        w, *xyz = self.orientation_wxyz
        length = math.hypot(w, *xyz)
        return Poses.single(self.position_m, [v / length for v in (*xyz, w)]) @ _HAND_FROM_TOOL


@dataclass(frozen=True, kw_only=True)
class IsaacGrasp:
    """One grasp of a file."""

    width_m: float
    """Distance of the pads, [m]: the sum of both finger joints, which mirror each other."""
    hand: HandPoseSpec
    """Where the hand is."""


def read_isaac_grasp(path: Path, name: str) -> IsaacGrasp:
    """Read a grasp.

    Args:
        path: The file.
        name: Of the grasp in it.

    Raises:
        ConfigError: The file cannot be read, is of another format or version, or has no such grasp or one that lacks
            something.
    """
    try:
        content = strict_yaml.read(path)
    except OSError as error:
        raise ConfigError(path, "", "a readable isaac_grasp file", error.strerror) from None
    content = content if isinstance(content, dict) else {}
    for key, expected in (("format", FORMAT), ("format_version", VERSION)):
        if content.get(key) != expected:
            raise ConfigError(path, key, str(expected), content.get(key), "only isaac_grasp 1.0 is read")
    grasps = content.get("grasps")
    grasps = grasps if isinstance(grasps, dict) else {}
    if name not in grasps:
        raise ConfigError(path, "grasps", f"one of {', '.join(map(str, grasps)) or 'none'}", name)
    grasp, at = grasps[name], f"grasps.{name}"
    grasp = grasp if isinstance(grasp, dict) else {}
    position = _numbers(path, f"{at}.position", grasp.get("position"), 3)
    turn = grasp.get("orientation")
    turn = turn if isinstance(turn, dict) else {}
    w = _numbers(path, f"{at}.orientation.w", [turn.get("w")], 1)
    xyz = _numbers(path, f"{at}.orientation.xyz", turn.get("xyz"), 3)
    try:
        hand = HandPoseSpec(position_m=(*position,), orientation_wxyz=(*w, *xyz))  # type: ignore[arg-type]
    except ConfigError as error:
        key = f"{at}.{error.key.partition('_')[0]}"
        raise ConfigError(path, key, error.expected, error.got) from None
    return IsaacGrasp(width_m=_width_m(path, f"{at}.cspace_position", grasp.get("cspace_position")), hand=hand)


def _width_m(path: Path, key: str, joints: Any) -> float:
    fingers = {name: value for name, value in joints.items() if "finger" in name} if isinstance(joints, Mapping) else {}
    if not fingers:
        raise ConfigError(path, key, "the finger joints, [m]", joints)
    values = _numbers(path, key, list(fingers.values()), len(fingers))
    return 2 * sum(values) / len(values)


def _numbers(path: Path, key: str, values: Any, count: int) -> list[float]:
    right = (
        isinstance(values, list)
        and len(values) == count
        and all(type(value) in (int, float) and math.isfinite(value) for value in values)
    )
    if not right:
        got = values[0] if isinstance(values, list) and count == len(values) == 1 else values
        raise ConfigError(path, key, "a finite number" if count == 1 else f"{count} finite numbers", got)
    return [float(value) for value in values]
