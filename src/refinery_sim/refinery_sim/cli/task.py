"""``refinery task``: write a task file for a part of one's own, from measures or from CAD."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from refinery.config import check
from refinery.errors import ConfigError, RefineryError
from refinery.section import FAMILIES, SectionSpec
from refinery.storage import write_whole
from refinery_sim.authoring.cad import measure, read_solid
from refinery_sim.authoring.new_task import NewPart, task_text

_ASKED = ("name", "section", "size_mm", "clearance_mm", "depth_mm")


@dataclass(frozen=True, kw_only=True)
class Common:
    """What both ways of writing a task file share; all in mm and degrees."""

    tilt_deg: float = 17.0
    """Initial states are tilted by up to this where the policy is deployed, [deg]."""
    yaw_deg: float = 35.0
    """They are turned by up to this, [deg]."""
    trained_share: float = 0.4
    """Share of those angles that the base policy is trained for; refining then covers the rest."""
    shift_mm: float = 10.0
    """They are shifted by up to this along x and y, [mm]."""
    grip_mm: float = 12.0
    """Middle of the finger pads below the plug's upper end, [mm]."""
    out: Path | None = None
    """File to write; default <name>.yaml in the working directory. An existing one is not overwritten."""

    def part(self, name: str, section: SectionSpec, **measures: float) -> NewPart:
        """Return the part with the ranges of these options."""
        check(0 < self.trained_share <= 1, "trained_share", "a share in (0, 1]", self.trained_share)
        tilt, yaw = np.radians([self.tilt_deg, self.yaw_deg]).round(3).tolist()
        share = self.trained_share
        return NewPart(
            name=name,
            section=section,
            grip_m=self.grip_mm / 1e3,
            shift_m=self.shift_mm / 1e3,
            tilt_rad=(round(share * tilt, 3), tilt),
            yaw_rad=(round(share * yaw, 3), yaw),
            **measures,
        )


@dataclass(frozen=True, kw_only=True)
class New(Common):
    """Write a task file from measures; what is not given is asked for on a terminal."""

    name: str = ""
    """Name of the task: letters, digits and underscores."""
    section: str = ""
    """Family of the plug's section: round, rectangle, square, hexagon, d, l, t, cross, keyed_round, ..."""
    size_mm: tuple[float, ...] = ()
    """The section's measures, [mm]: two for a rectangle, the diameter for round (docs/your_part.md has all)."""
    clearance_mm: float = 0.0
    """Gap per side between plug and hole, [mm]: half the difference of their sizes."""
    depth_mm: float = 0.0
    """Depth of the hole, [mm]."""
    chamfer_mm: float = 0.0
    """Width of a 45 degree chamfer around the hole, [mm]."""
    length_mm: float = 50.0
    """Length of the plug along the insertion axis, [mm]."""


@dataclass(frozen=True, kw_only=True)
class FromCad(Common):
    """Write a task file from two meshes in assembled pose; sections, clearance and depth are measured."""

    plug: Annotated[Path, tyro.conf.Positional]
    """Mesh of the plug: STL or OBJ, or STEP where cascadio is installed."""
    socket: Annotated[Path, tyro.conf.Positional]
    """Mesh of the part with the hole, in the same coordinates."""
    unit: Literal["m", "cm", "mm", "inch"]
    """Unit of the meshes: the files do not say it."""
    axis: Literal["x", "y", "z"] = "z"
    """Axis of the meshes that points out of the hole."""
    name: str = ""
    """Name of the task; default that of the plug's file."""
    approximate: bool = False
    """Take the section at half the depth although the plug is not prismatic over its inserted length."""


def main() -> None:
    """Entry point."""
    words = sys.argv[1:]
    kinds: dict[str, Callable[[Sequence[str]], Path]] = {"new": _new, "from-cad": _from_cad}
    if not words or words[0] not in kinds:
        helped = bool(words) and words[0] in ("-h", "--help")
        print(f"usage: refinery task {{{','.join(kinds)}}} [--help]", file=sys.stdout if helped else sys.stderr)
        sys.exit(0 if helped else 2)
    try:
        path = kinds[words[0]](words[1:])
    except RefineryError as error:
        print(f"refinery task {words[0]}: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"wrote {path}; next: refinery check {path}")


def _new(words: Sequence[str]) -> Path:
    args = tyro.cli(New, args=list(words), prog="refinery task new")
    return write_new(asked(args, input) if sys.stdin.isatty() else args)


def _from_cad(words: Sequence[str]) -> Path:
    return write_from_cad(tyro.cli(FromCad, args=list(words), prog="refinery task from-cad"))


def write_from_cad(args: FromCad) -> Path:
    """Measure two meshes and write the task file.

    Returns:
        Its path.

    Raises:
        CadError: The meshes make no task.
        RefineryError: There is a file already, or the libraries are not installed.
    """
    plug, socket = (read_solid(path, args.unit, args.axis) for path in (args.plug, args.socket))
    found = measure(plug, socket, approximate=args.approximate)
    for note in found.notes:
        print(note)
    part = args.part(
        args.name or re.sub(r"\W", "_", args.plug.stem),
        found.section,
        clearance_m=found.clearance_m,
        depth_m=found.depth_m,
        chamfer_m=found.chamfer_m,
        length_m=found.length_m,
    )
    return write_task(part, args.out)


def asked(args: New, ask: Callable[[str], str]) -> New:
    """Ask for what was not given.

    Args:
        args: What was given.
        ask: Shows a question and returns the answer.
    """
    values = {item.name: getattr(args, item.name) for item in fields(args)}
    for name in _ASKED:
        if values[name]:
            continue
        if name == "size_mm":
            names = FAMILIES.get(values["section"], ())
            values[name] = tuple(_number(ask(f"{measure} [mm]: "), measure) for measure in names)
        elif name.endswith("_mm"):
            values[name] = _number(ask(f"{name.removesuffix('_mm')} [mm]: "), name)
        else:
            choices = f" ({', '.join(FAMILIES)})" if name == "section" else ""
            values[name] = ask(f"{name}{choices}: ").strip()
    return New(**values)


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError("the answer", name, "a number [mm]", text) from None


def write_new(args: New) -> Path:
    """Write the file.

    Returns:
        Its path.

    Raises:
        ConfigError: Something is missing (all of it is named), or does not fit.
        RefineryError: There is a file already.
    """
    missing = [f"--{name.replace('_', '-')}" for name in _ASKED if not getattr(args, name)]
    if missing:
        raise ConfigError("refinery task new", "", ", ".join(missing), "nothing", "on a terminal they are asked for")
    section = SectionSpec(family=args.section, size_m=tuple(size / 1e3 for size in args.size_mm))
    measures = {f"{name}_m": getattr(args, f"{name}_mm") / 1e3 for name in ("clearance", "depth", "chamfer", "length")}
    return write_task(args.part(args.name, section, **measures), args.out)


def write_task(part: NewPart, out: Path | None, description: str = "") -> Path:
    """Write the task file of a part where there is none yet; returns its path.

    Raises:
        RefineryError: There is a file already.
    """
    path = out or Path(f"{part.name}.yaml")
    if path.exists():
        raise RefineryError(f"{path}: there is a file already; name another with --out")
    write_whole(path, task_text(part, path.parent, description))
    return path
