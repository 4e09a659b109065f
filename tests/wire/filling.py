"""Messages with something in every field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

_SEQUENCE = re.compile(r"sequence<([^,>]+)(?:, \d+)?>")
_IN_A_SEQUENCE = 2


def fill(message: Any, numbers: Iterator[int]) -> Any:
    """Give every field of a message, nested ones too, a value of its own; sequences get two elements.

    Args:
        message: The message; it is changed.
        numbers: Where values come from, each used once; an integer field takes it modulo 128.

    Returns:
        The message.
    """
    for name, kind in message.get_fields_and_field_types().items():
        setattr(message, name, _value(kind, getattr(message, name), numbers))
    return message


def _value(kind: str, old: Any, numbers: Iterator[int]) -> Any:
    """Return a value for a field of a kind that holds an old one."""
    sequence = _SEQUENCE.fullmatch(kind)
    if sequence:
        return [_element(sequence[1], numbers) for _ in range(_IN_A_SEQUENCE)]
    if isinstance(old, np.ndarray):
        return np.array([_element(kind.partition("[")[0], numbers) for _ in old], old.dtype)
    return _element(kind, numbers)


def _element(kind: str, numbers: Iterator[int]) -> Any:
    """Return a value for one thing of a kind, as rosidl spells kinds."""
    if "/" in kind:
        package, short = kind.split("/")
        return fill(getattr(import_module(f"{package}.msg"), short)(), numbers)
    number = next(numbers)
    if kind == "boolean":
        return number % 3 == 0
    if kind in ("float", "double"):
        return number + 0.5
    if kind == "octet":
        return bytes([number % 256])
    if kind == "string":
        return str(number)
    return number % 128
