"""How a step takes its part: width, tolerance and force, or a grasp of an ``isaac_grasp`` file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from refinery.config import LEFT_OUT, check
from refinery.errors import ConfigError
from refinery.rotations import Poses, angle_between_rad
from refinery.sequence.isaac_grasp import HandPoseSpec, read_isaac_grasp
from refinery.task import PlugSpec

JAWS_M = 0.08
"""Largest opening of the Franka hand, [m]."""
MAX_FORCE_N = 70.0
"""Largest continuous force of the Franka hand, [N]."""
_POSITION_M, _ANGLE_RAD = 0.002, 0.05
"""A hand that is farther than this from how the task holds the part holds it otherwise."""


@dataclass(frozen=True, kw_only=True)
class GraspSpec:
    """The grasp of one part. Where the tool takes it is the task's (``plug.grasp_xyz_m``)."""

    width_m: float | None = None
    """Distance of the pads when they hold the part, [m], (0, 0.08]; none where a file says it."""
    epsilon_m: float = 0.002
    """The grasp is refused if the measured width differs by more than this, [m], (0, 0.02]."""
    force_n: float = 30.0
    """Grasping force, [N], (0, 70]."""
    speed_m_s: float = 0.05
    """Speed of the fingers, [m/s], (0, 0.1]."""
    open_by_m: float = 0.005
    """How far each finger opens beyond the part to take it and to let it go, [m], [0.001, 0.03]."""
    file: str = ""
    """``isaac_grasp`` file, relative to the sequence's; empty: ``width_m`` says it all."""
    grasp: str = ""
    """Name of the grasp in that file."""
    hand: HandPoseSpec | None = field(default=None, metadata=LEFT_OUT)
    """Where the hand is on the part, as the file says; it has to be where the task has it. None: as the task has it."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        width = self.width_m
        given = (width is None) == bool(self.file) and bool(self.file) == bool(self.grasp)
        check(given, "width_m", "width_m, or file and grasp of an isaac_grasp file", width)
        expected = f"a width in (0, {JAWS_M:g}] m, what the jaws open to"
        check(width is None or 0 < width <= JAWS_M, "width_m", expected, width)
        check(0 < self.epsilon_m <= 0.02, "epsilon_m", "a tolerance in (0, 0.02] m", self.epsilon_m)
        check(0 < self.force_n <= MAX_FORCE_N, "force_n", f"a force in (0, {MAX_FORCE_N:g}] N", self.force_n)
        check(0 < self.speed_m_s <= 0.1, "speed_m_s", "a speed in (0, 0.1] m/s", self.speed_m_s)
        check(0.001 <= self.open_by_m <= 0.03, "open_by_m", "a distance in [0.001, 0.03] m", self.open_by_m)
        room = math.inf if width is None else (JAWS_M - width) / 2
        expected = f"at most {room * 1000:.1f} mm: the jaws open to {JAWS_M * 1000:g} mm"
        check(self.open_by_m <= room + 1e-9, "open_by_m", expected, self.open_by_m)

    @property
    def held_m(self) -> float:
        """Width of the part between the pads, [m]; only of a resolved grasp."""
        assert self.width_m is not None
        return self.width_m

    @property
    def open_m(self) -> float:
        """Opening before the part is taken and when it is let go, [m]; only of a resolved grasp."""
        return self.held_m + 2 * self.open_by_m

    def check_hand(self, plug: PlugSpec) -> None:
        """Check that the part is held as its task has it, which is how the policy was trained.

        The hand may be turned by half a turn: both fingers are alike.

        Raises:
            ConfigError: It is held otherwise.
        """
        if self.hand is None:
            return
        intended, half_turn = plug.tool_from_plug.inverse(), Poses.from_xyz_rpy((0.0,) * 3, (0.0, 0.0, math.pi))
        tool = self.hand.tool()
        distance = float(np.linalg.norm(tool.pos_m - intended.pos_m))
        angle = min(
            float(angle_between_rad(tool.quat_xyzw, way.quat_xyzw)[0]) for way in (intended, intended @ half_turn)
        )
        expected = (
            f"the tool within {1000 * _POSITION_M:g} mm and {_ANGLE_RAD:g} rad of {_shown(intended)} in the tip frame, "
            "where the task's plug.grasp_xyz_m and grasp_rpy_rad put it"
        )
        near = distance <= _POSITION_M and angle <= _ANGLE_RAD
        check(near, "hand", expected, f"{_shown(tool)}, {1000 * distance:.1f} mm and {angle:.2f} rad from there")

    def resolved(self, folder: Path) -> GraspSpec:
        """Return the same grasp with width and hand, read from the file if there is one.

        Args:
            folder: The sequence file's folder.

        Raises:
            ConfigError: The file is missing or no ``isaac_grasp`` file, or has no such grasp, or one that is too wide.
        """
        if not self.file:
            return self
        path = folder / self.file
        found = read_isaac_grasp(path, self.grasp)
        try:
            return replace(self, width_m=found.width_m, hand=found.hand, file="", grasp="")
        except ConfigError as error:
            key = f"grasps.{self.grasp}.cspace_position"
            raise ConfigError(path, key, error.expected, error.got, error.hint) from None


def _shown(pose: Poses) -> str:
    (x, y, z), (roll, pitch, yaw) = 1000 * pose.pos_m[0], pose.rpy_rad()[0]
    return f"({x:.1f}, {y:.1f}, {z:.1f}) mm, ({roll:.2f}, {pitch:.2f}, {yaw:.2f}) rad"
