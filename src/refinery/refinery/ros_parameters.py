"""Node parameters from a dataclass: typed, described and range-checked by rclpy. Only nodes import this module."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

T = TypeVar("T")


def parameter(default: Any, description: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a dataclass field that is a parameter.

    Args:
        default: Its default, which also gives its type.
        description: What it means, with its unit.
        low: Least accepted value; none for no range.
        high: Largest accepted value.
    """
    return dataclasses.field(default=default, metadata={"description": description, "low": low, "high": high})


def declare_field(node: Node, field: dataclasses.Field[Any], default: Any = None, *, read_only: bool = False) -> Any:
    """Declare the parameter of one field and return its value.

    Args:
        node: The node.
        field: A field made by :func:`parameter`.
        default: Instead of the field's own default.
        read_only: Refuse later changes.
    """
    low, high = field.metadata["low"], field.metadata["high"]
    descriptor = ParameterDescriptor(description=field.metadata["description"], read_only=read_only)
    if low is not None and isinstance(field.default, int):
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=0)]
    elif low is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
    return node.declare_parameter(field.name, field.default if default is None else default, descriptor).value


def declare_all(node: Node, cls: type[Any]) -> None:
    """Declare a parameter for every field of a dataclass."""
    for field in dataclasses.fields(cls):
        declare_field(node, field)


def read_all(node: Node, cls: type[T]) -> T:
    """Read the declared parameters into their dataclass."""
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    return cls(**{name: node.get_parameter(name).value for name in names})
