"""The damping that a robot's impedance controller is configured to, with the lines of its parameter file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile

_NAMES = ("pos_x", "pos_y", "pos_z", "rot_x", "rot_y", "rot_z")
_FLOAT = "tag:yaml.org,2002:float"
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


def _parameters(file: Path, controller: str) -> dict[str, yaml.Node]:
    """All parameters of a controller by their dotted names, with the places they stand at."""
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(file, "", "readable YAML", " ".join(str(error).split())) from None
    whole = dict(_flat(root))
    for prefix in ("/**.", "", "/**/", "/"):
        start = f"{prefix}{controller}.ros__parameters."
        found = {key.removeprefix(start): node for key, node in whole.items() if key.startswith(start)}
        if found:
            return found
    raise ConfigError(file, f"{controller}.ros__parameters", "parameters of the impedance controller", "nothing there")


def _flat(node: yaml.Node | None, prefix: str = "") -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _flat(value, f"{prefix}{key.value}.")
    elif node is not None:
        yield prefix.removesuffix("."), node


def _number(found: dict[str, yaml.Node], key: str, default: float, file: Path) -> tuple[float, int | None]:
    """A parameter and the line it stands at; the controller's default and None where it is not given."""
    if key not in found:
        return default, None
    node = found[key]
    written = node.value if isinstance(node, yaml.ScalarNode) else "a list"
    line = node.start_mark.line + 1
    try:
        value = float(written) if node.tag == _FLOAT else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"{file}, line {line}", key, "a number with a decimal point, as ROS wants it", written)
    return value, line
