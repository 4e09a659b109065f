"""The damping that a robot's impedance controller is configured to, with the lines of its parameter file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinery import strict_yaml
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile

_NAMES = ("pos_x", "pos_y", "pos_z", "rot_x", "rot_y", "rot_z")
_DEFAULT_STIFFNESS = (500.0, 500.0, 500.0, 30.0, 30.0, 30.0)


@dataclass(frozen=True, kw_only=True)
class Gain:
    """The damping of one axis."""

    value: float
    """Damping, [Ns/m] or [Nms/rad]."""
    where: str
    """File, line and key to change it at."""
    note: str = ""
    """Why it is that, if nobody wrote it there."""


def configured_damping(profile: RobotProfile) -> tuple[Gain, ...] | None:
    """Return the damping of the impedance controller along and about x, y, z; no topic changes it.

    It is read from the file that the controller is loaded with (``driver.controllers``), and where none is named, from
    the profile (``impedance.damping``).

    Args:
        profile: The robot.

    Returns:
        Six gains; None if neither says anything: then the controller takes what the task asks for, as the twin does.

    Raises:
        ConfigError: The file is not a parameter file of this controller.
    """
    if profile.driver is not None:
        return _from_file(config_file("controllers", profile.driver.controllers), profile.impedance_controller)
    if profile.impedance.damping is None:
        return None
    name = profile.file or f"robot profile {profile.name!r}"
    return tuple(Gain(value=value, where=f"{name}: impedance.damping") for value in profile.impedance.damping)


def _from_file(file: Path, controller: str) -> tuple[Gain, ...]:
    """Read ``task.d_*`` as CRISP does: where it is not given, or negative, damping is 2 sqrt of ``task.k_*``."""
    found = _parameters(file, controller)
    gains = []
    for name, default in zip(_NAMES, _DEFAULT_STIFFNESS, strict=True):
        key, spring = f"task.d_{name}", f"task.k_{name}"
        value, line = _number(found, key, -1.0, file)
        where = f"{file}{f', line {line}' if line else ''}: {key}"
        if value >= 0:
            gains.append(Gain(value=value, where=where))
        else:
            stiffness, _ = _number(found, spring, default, file)
            gains.append(Gain(value=2 * math.sqrt(max(stiffness, 0.0)), where=where, note=f" (2 sqrt({spring}))"))
    return tuple(gains)


def _parameters(file: Path, controller: str) -> dict[str, tuple[Any, int]]:
    """All parameters of a controller by their dotted names, with the lines they stand in."""
    try:
        whole = strict_yaml.read_placed(file)
    except OSError as error:
        raise ConfigError(file, "", "a readable file", " ".join(str(error).split())) from None
    for prefix in ("/**.", "", "/**/", "/"):
        start = f"{prefix}{controller}.ros__parameters."
        found = {key.removeprefix(start): placed for key, placed in whole.items() if key.startswith(start)}
        if found:
            return found
    raise ConfigError(file, f"{controller}.ros__parameters", "parameters of the impedance controller", "nothing there")


def _number(found: dict[str, tuple[Any, int]], key: str, default: float, file: Path) -> tuple[float, int | None]:
    """A parameter and the line it stands in; the controller's default and None where it is not given."""
    if key not in found:
        return default, None
    value, line = found[key]
    if type(value) is not float:
        raise ConfigError(f"{file}, line {line}", key, "a number with a decimal point, as ROS wants it", value)
    return value, line
