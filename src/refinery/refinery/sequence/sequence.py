"""A sequence of insertions and the base they start from (``config/sequences/*.yaml``)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from refinery.config import check, load_dataclass, to_mapping
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.sequence.step import FRAME, PART, StepSpec, Vec3

MAX_PARTS = 8
"""Largest number of parts, the base included."""


@dataclass(frozen=True, kw_only=True)
class PocketSpec:
    """A rectangular pocket in the top of the base."""

    centre_m: tuple[float, float]
    """Middle in the base's frame, [m]."""
    size_m: tuple[float, float]
    """Edges along x and y, [m]."""
    depth_m: float
    """Below the top, [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(all(0 < v <= 0.5 for v in self.size_m), "size_m", "two values in (0, 0.5] m", self.size_m)
        check(0 < self.depth_m <= 0.1, "depth_m", "a depth in (0, 0.1] m", self.depth_m)


@dataclass(frozen=True, kw_only=True)
class BaseSpec:
    """The part that stays where it is clamped. Its frame is in the middle of its top, z up."""

    part: str = "base"
    """Its name."""
    size_m: Vec3
    """Edges along x, y and z, [m]."""
    pockets: tuple[PocketSpec, ...]
    """Pockets in its top."""
    nominal_xyz_m: Vec3
    """Where it is clamped: its frame in the arm's base frame, [m]."""
    range_xyz_m: Vec3 = (0.0, 0.0, 0.0)
    """Half-range of the uniform draw around that by the simulated cell, [m]."""
    range_yaw_rad: float = 0.0
    """Half-range of its yaw in the simulated cell, [rad]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.part.isidentifier(), "part", "letters, digits and underscores", self.part)
        check(all(0 < v <= 0.6 for v in self.size_m), "size_m", "three values in (0, 0.6] m", self.size_m)
        for i, pocket in enumerate(self.pockets):
            reach = [abs(c) + s / 2 for c, s in zip(pocket.centre_m, pocket.size_m, strict=True)]
            inside = all(r < edge / 2 for r, edge in zip(reach, self.size_m, strict=False))
            check(inside, f"pockets[{i}]", "a pocket within the base", pocket)
            expected = f"less than the base's height, {self.size_m[2]:g} m"
            check(pocket.depth_m < self.size_m[2], f"pockets[{i}].depth_m", expected, pocket.depth_m)
        check(all(v >= 0 for v in (*self.range_xyz_m, self.range_yaw_rad)), "range_xyz_m", ">= 0", self.range_xyz_m)

    def nominal_pose(self) -> Poses:
        """Pose of its frame in the arm's base frame, batch of one."""
        return Poses.from_xyz_rpy(self.nominal_xyz_m, (0.0, 0.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class TrayErrorSpec:
    """How far parts stand from where the trays say, in the simulated cell; the jaws centre part of it."""

    xy_m: float = 0.0005
    """Half-range of the uniform error along x and y, [m], [0, 0.01]."""
    yaw_rad: float = 0.01
    """Half-range of the uniform error of the turn, [rad], [0, 0.3]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 <= self.xy_m <= 0.01, "xy_m", "a distance in [0, 0.01] m", self.xy_m)
        check(0 <= self.yaw_rad <= 0.3, "yaw_rad", "an angle in [0, 0.3] rad", self.yaw_rad)


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """An assembly, step by step."""

    name: str
    """Identifier."""
    description: str
    """One sentence for people."""
    base: BaseSpec
    """What everything is built on."""
    tray_error: TrayErrorSpec = TrayErrorSpec()
    """How well the trays hold their parts, in the simulated cell."""
    steps: tuple[StepSpec, ...]
    """In the order they are done."""

    def __post_init__(self) -> None:
        """Validate what spans several steps."""
        check(self.name.isidentifier(), "name", "letters, digits and underscores", self.name)
        count = len(self.steps)
        expected = f"1 to {MAX_PARTS - 1} steps: with the base at most {MAX_PARTS} parts"
        check(1 <= count < MAX_PARTS, "steps", expected, f"{count} steps")
        parts, names = {self.base.part: -1}, dict[str, int]()
        for i, step in enumerate(self.steps):
            check(
                step.name not in names,
                f"steps[{i}].name",
                "a name of its own",
                f"{step.name}, as steps[{names.get(step.name)}]",
            )
            check(step.part not in parts, f"steps[{i}].part", "a part that nothing else is", step.part)
            self._check_socket(i, step, parts)
            for need in step.needs:
                check(need in names, f"steps[{i}].needs", f"earlier steps ({_listed(names)})", need)
            names[step.name], parts[step.part] = i, i
        for i, step in enumerate(self.steps):
            users = [later.name for later in self.steps[i + 1 :] if _rests_on(later, step)]
            sound = step.on_failure.then != "skip" or not users
            expected = f"stop: {', '.join(users)} cannot be done without {step.part}"
            check(sound, f"steps[{i}].on_failure.then", expected, "skip")

    def _check_socket(self, index: int, step: StepSpec, parts: dict[str, int]) -> None:
        if step.socket.mode != PART:
            return
        key, part = f"steps[{index}].socket.part", step.socket.part
        of_later = [later.part for later in self.steps[index:]]
        check(part not in of_later, key, "a part that is seated before this one", f"{part}, which comes later")
        check(part in parts or part in of_later, key, f"a part of the sequence ({_listed(parts)})", part)

    def index_of(self, part: str) -> int:
        """Return the index of the step that inserts a part.

        Raises:
            ConfigError: There is none.
        """
        for i, step in enumerate(self.steps):
            if step.part == part:
                return i
        raise ConfigError(self.name, "part", f"one of {', '.join(s.part for s in self.steps)}", part)

    def hash(self) -> str:
        """SHA-256 of the contents, independent of the layout of the file; grasp files are part of it."""
        return hashlib.sha256(json.dumps(to_mapping(self), sort_keys=True).encode()).hexdigest()

    def is_meant_by(self, asked: str) -> bool:
        """Tell whether a request is for this sequence: it names none, its name, or its hash."""
        return asked in ("", self.name) or asked == self.hash()

    def nominal_seats(self) -> dict[str, Poses]:
        """Seated tip frames of all parts in the base's frame if everything is where it should be, by part."""
        seats = {self.base.part: Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))}
        from_arm = self.base.nominal_pose().inverse()
        for step in self.steps:
            place = step.socket
            parent = seats[place.part] if place.mode == PART else seats[self.base.part]
            seats[step.part] = (parent if place.mode in (PART, FRAME) else from_arm) @ place.pose()
        return seats


def load_sequence(name: Path | str) -> Sequence:
    """Read a sequence.

    Args:
        name: A name in ``config/sequences`` or a path to a YAML file.

    Returns:
        The validated sequence, with the widths that grasp files say.

    Raises:
        ConfigError: With the file, the key, what was expected and what was found.
    """
    path = config_file("sequences", str(name))
    sequence = load_dataclass(path, Sequence)
    steps = tuple(replace(step, grasp=step.grasp.resolved(path.parent)) for step in sequence.steps)
    return replace(sequence, steps=steps)


def _rests_on(later: StepSpec, step: StepSpec) -> bool:
    return step.name in later.needs or (later.socket.mode == PART and later.socket.part == step.part)


def _listed(names: dict[str, int]) -> str:
    return ", ".join(names) or "there is none"
