"""How a step takes its part: width, tolerance and force, or a grasp of an ``isaac_grasp`` file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from refinery import strict_yaml
from refinery.config import check
from refinery.errors import ConfigError

JAWS_M = 0.08
"""Largest opening of the Franka hand, [m]."""
MAX_FORCE_N = 70.0
"""Largest continuous force of the Franka hand, [N]."""
ISAAC_FORMAT = ("isaac_grasp", 1.0)
"""Format and version of the grasp files that are read."""


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

    def resolved(self, folder: Path) -> GraspSpec:
        """Return the same grasp with its width, read from the file if there is one.

        Args:
            folder: The sequence file's folder.

        Raises:
            ConfigError: The file is missing or no ``isaac_grasp`` file, or has no such grasp, or one that is too wide.
        """
        if not self.file:
            return self
        path = folder / self.file
        try:
            return replace(self, width_m=_isaac_width_m(path, self.grasp), file="", grasp="")
        except ConfigError as error:
            raise ConfigError(path, f"grasps.{self.grasp}", error.expected, error.got, error.hint) from None


def _isaac_width_m(path: Path, name: str) -> float:
    """Return the distance of the pads of a grasp, [m]: the sum of both finger joints, which mirror each other."""
    try:
        content = strict_yaml.read(path)
    except OSError as error:
        raise ConfigError(path, "", "a readable isaac_grasp file", error.strerror) from None
    content = content if isinstance(content, dict) else {}
    form = (content.get("format"), content.get("format_version"))
    if form != ISAAC_FORMAT:
        raise ConfigError(path, "format", "format isaac_grasp, format_version 1.0", form)
    grasps = content.get("grasps")
    grasps = grasps if isinstance(grasps, dict) else {}
    if name not in grasps:
        raise ConfigError(path, "grasps", f"one of {', '.join(grasps) or 'none'}", name)
    joints = _fingers(grasps[name])
    if not joints:
        raise ConfigError(path, "cspace_position", "the finger joints, [m]", grasps[name])
    return 2 * sum(joints) / len(joints)


def _fingers(grasp: Any) -> list[float]:
    joints = grasp.get("cspace_position") if isinstance(grasp, dict) else None
    joints = joints if isinstance(joints, dict) else {}
    return [float(value) for key, value in joints.items() if "finger" in key and isinstance(value, (int, float))]
