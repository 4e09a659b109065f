"""Parameters as a dataclass declares them, without ROS: their names, types and ranges, and the values that fit."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from refinery import strict_yaml
from refinery.errors import ConfigError, RefineryError

STANDARD = {"use_sim_time": bool, "start_type_description_service": bool}
"""Parameters that every ROS node has, and their types."""
STANDARD_PREFIXES = ("qos_overrides.",)
"""Begin the names of parameters that ROS itself makes."""
_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


class Typed(str):
    """A value as somebody typed it: what it means depends on the parameter."""


def parameter(default: Any, description: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a dataclass field that is a parameter.

    Args:
        default: Its default, which also gives its type.
        description: What it means, with its unit.
        low: Least accepted value; none for no range.
        high: Largest accepted value.
    """
    return dataclasses.field(default=default, metadata={"description": description, "low": low, "high": high})


def fitting(cls: type[Any], values: Mapping[str, Any], source: str) -> tuple[dict[str, Any], list[ConfigError]]:
    """Check values against the parameters that a dataclass declares.

    Args:
        cls: Its fields were made by :func:`parameter`.
        values: Values by name, plain or :class:`Typed`; parameters that every node has are let through.
        source: Of the values, for errors.

    Returns:
        The values that fit, each of its declared type (a whole number is a float where one is declared), and what is
        wrong with the others: unknown, of another type or out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    fit, problems = dict[str, Any](), list[ConfigError]()
    for name, value in values.items():
        try:
            if name in fields:
                field = fields[name]
                low, high = field.metadata["low"], field.metadata["high"]
                fit[name] = _of_type(type(field.default), value, low, high, source, name)
            elif name in STANDARD:
                fit[name] = _of_type(STANDARD[name], value, None, None, source, name)
            elif name.startswith(STANDARD_PREFIXES):
                fit[name] = plain(value, source, name)
            else:
                problems.append(_unknown(source, name, [*fields, *STANDARD]))
        except ConfigError as error:
            problems.append(error)
    return fit, problems


def raise_all(problems: list[ConfigError]) -> None:
    """Raise what was found, if anything was, in one error.

    Raises:
        RefineryError: Something was; the message names all of it.
    """
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise RefineryError("; ".join(map(str, problems)))


def plain(value: Any, source: str, name: str) -> Any:
    """Return a value, read as YAML if it was typed.

    Raises:
        ConfigError: It is no YAML.
    """
    if not isinstance(value, Typed):
        return value
    return strict_yaml.parse(value, source, name)


def _of_type(kind: type[Any], value: Any, low: float | None, high: float | None, source: str, name: str) -> Any:
    expected = _TYPES[kind] if low is None else f"{_TYPES[kind]} in {low:g} to {high:g}"
    fit = _typed(kind, value) if isinstance(value, Typed) else value
    if kind is float and type(fit) is int:
        fit = float(fit)
    if kind is str and type(fit) is int:
        # ROS reads -p record_dir:=20261126 as a number before a node sees it.
        fit = str(fit)
    if type(fit) is not kind or (low is not None and high is not None and not low <= fit <= high):
        hint = "quote it" if kind is str else ""
        raise ConfigError(source, name, expected, str(value) if isinstance(value, Typed) else value, hint)
    return fit


def _typed(kind: type[Any], text: Typed) -> Any:
    """Read a typed value; gives something of another type if it does not fit."""
    try:
        value = strict_yaml.parse(text, "a value", "")
    except ConfigError:
        value = str(text)
    if kind is str:
        # Quotes that are still there are YAML's; anything else is the text itself, also where it looks like a number.
        return value if type(value) is str else str(text)
    if kind is float and type(value) is str:
        # To YAML 5e-4 is no number; to whoever types it, it is.
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _unknown(source: str, name: str, known: list[str]) -> ConfigError:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
    return ConfigError(source, name, "a parameter of the node", name, hint)
