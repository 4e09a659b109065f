"""The task file of a new part: what differs from the base task, in about twenty lines."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from refinery.config import check
from refinery.initial_state import POSE_NAMES
from refinery.paths import config_file, share_dir
from refinery.section import SectionSpec
from refinery_sim.section import half_size_m

BASE = "base/insertion"
"""What a new task inherits from, in ``config/tasks``."""
LEAST_RISE_M = 0.01
"""Height of the tip over the rim at hand-over where no tilt needs more, [m]."""
_AIR_M = 0.003


@dataclass(frozen=True, kw_only=True)
class NewPart:
    """A part and its hole as a user knows them; everything else comes from the base task."""

    name: str
    """Identifier of the task."""
    section: SectionSpec
    """Cross-section of the plug."""
    clearance_m: float
    """Gap per side between plug and hole, [m]."""
    depth_m: float
    """Depth of the hole, [m]."""
    chamfer_m: float = 0.0
    """Width of a 45 degree chamfer around the rim, [m]."""
    length_m: float = 0.05
    """Length of the plug along the insertion axis, [m]."""
    grip_m: float = 0.012
    """Distance of the finger pads' middle from the plug's upper end, [m]."""
    shift_m: float = 0.01
    """Initial states are shifted by up to this along x and y, trained and deployed alike, [m]."""
    tilt_rad: tuple[float, float] = (0.12, 0.3)
    """Largest roll and pitch of the initial states: trained, deployed, [rad]."""
    yaw_rad: tuple[float, float] = (0.25, 0.6)
    """Largest yaw of the initial states: trained, deployed, [rad]."""
    episode_s: float = 5.0
    """Time limit of an insertion, [s]."""

    def __post_init__(self) -> None:
        """Validate what the task itself would not."""
        check(self.name.isidentifier(), "name", "letters, digits and underscores", self.name)
        inside = 0 < self.grip_m < self.length_m
        check(inside, "grip_m", f"a distance from the upper end in (0, {self.length_m:g}) m", self.grip_m)

    @property
    def start_height_m(self) -> float:
        """Height of the tip over the seat at hand-over: no corner touches the plate at the widest tilt, [m]."""
        reach = math.hypot(*half_size_m(self.section))
        rise = max(LEAST_RISE_M, reach * math.sin(max(self.tilt_rad)) + _AIR_M)
        return self.depth_m + math.ceil(rise * 1e3) / 1e3


def default_description(part: NewPart) -> str:
    """Return a sentence of the measures."""
    x, y = (2e3 * half for half in half_size_m(part.section))
    kind = part.section.family.replace("_", " ")
    return (
        f"{x:.3g} x {y:.3g} mm {kind}, {1e3 * part.depth_m:.3g} mm deep, "
        f"{1e3 * part.clearance_m:.3g} mm clearance per side"
    )


def task_text(part: NewPart, folder: Path, description: str = "") -> str:
    """Return the task file of a part.

    Args:
        part: Its measures.
        folder: Where the file is going to lie; the base task is named relative to it inside the same checkout.
        description: One sentence for people; the measures if empty.
    """
    section = f"family: {part.section.family}"
    if part.section.size_m:
        section += f", size_m: {_list(part.section.size_m)}"
    lines = [
        "# What is not said here is inherited. Every key with its unit and range: docs/your_part.md.",
        f"extends: {_base(folder)}",
        f"name: {part.name}",
        f"description: {description or default_description(part)}",
        "plug:",
        f"  section: {{{section}}}" if part.section.size_m else f"  section:\n    {section}\n    rings_m:",
    ]
    lines += [f"      - [{', '.join(_list(corner) for corner in ring)}]" for ring in part.section.rings_m]
    lines += [
        f"  length_m: {_number(part.length_m)}",
        f"  grasp_xyz_m: {_list((0.0, 0.0, part.length_m - part.grip_m))}",
        "socket:",
        f"  clearance_m: {_number(part.clearance_m)}",
        f"  depth_m: {_number(part.depth_m)}",
        f"  chamfer_m: {_number(part.chamfer_m)}",
        "initial_state:",
        f"  trained_in: {_box(part, 0)}",
        f"  deployed_in: {_box(part, 1)}",
        "control:",
        f"  episode_s: {_number(part.episode_s)}",
    ]
    return "\n".join(lines) + "\n"


def _base(folder: Path) -> str:
    file = config_file("tasks", BASE).resolve()
    inside = share_dir().resolve() in (folder.resolve(), *folder.resolve().parents)
    return os.path.relpath(file, folder.resolve()) if inside else str(file)


def _box(part: NewPart, which: int) -> str:
    height, tilt, yaw = part.start_height_m, part.tilt_rad[which], part.yaw_rad[which]
    reach = dict(zip(POSE_NAMES, (part.shift_m, part.shift_m, 0.0, tilt, tilt, yaw), strict=True))
    ranges = {name: (-most, most) for name, most in reach.items() if most > 0} | {"z": (height, height)}
    return "{" + ", ".join(f"{name}: {_list(ranges[name])}" for name in POSE_NAMES if name in ranges) + "}"


def _list(values: tuple[float, ...]) -> str:
    return f"[{', '.join(map(_number, values))}]"


def _number(value: float) -> str:
    """A float with a decimal point, to a tenth of a micrometre."""
    return repr(round(float(value), 7) + 0.0)
