"""Node parameters from a dataclass: typed, described and range-checked. Only nodes import this module.

ROS ignores a value for a parameter that no node declares, and refuses a whole number for a float. Both are what people
mistype, so the values a node is started with are checked here before they are declared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from refinery.parameters import fitting, parameter, raise_all

__all__ = ["declare_all", "declare_field", "overrides_for", "parameter", "read_all"]
T = TypeVar("T")


def overrides_for(node: Node, cls: type[Any]) -> dict[str, Any]:
    """Return the values that a node was started with (``--ros-args``, parameter files), each of its declared type.

    Args:
        node: The node.
        cls: Declares all of its parameters.

    Raises:
        RefineryError: Some are unknown, of another type or out of range; the message names all of them.
    """
    # rclpy has no public name for them.
    given = {name: value.value for name, value in node._parameter_overrides.items()}
    fit, problems = fitting(cls, given, "parameters")
    raise_all(problems)
    return fit


def declare_field(
    node: Node,
    field: dataclasses.Field[Any],
    default: Any = None,
    *,
    overrides: Mapping[str, Any],
    read_only: bool = False,
) -> Any:
    """Declare the parameter of one field and return its value.

    Args:
        node: The node.
        field: A field made by :func:`parameter`.
        default: Instead of the field's own default.
        overrides: From :func:`overrides_for`.
        read_only: Refuse later changes.
    """
    low, high = field.metadata["low"], field.metadata["high"]
    descriptor = ParameterDescriptor(description=field.metadata["description"], read_only=read_only)
    if low is not None and isinstance(field.default, int):
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=0)]
    elif low is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
    value = overrides.get(field.name, field.default if default is None else default)
    return node.declare_parameter(field.name, value, descriptor, ignore_override=True).value


def declare_all(node: Node, cls: type[Any]) -> None:
    """Declare a parameter for every field of a dataclass.

    Raises:
        RefineryError: A value the node was started with does not fit; see :func:`overrides_for`.
    """
    overrides = overrides_for(node, cls)
    for field in dataclasses.fields(cls):
        declare_field(node, field, overrides=overrides)


def read_all(node: Node, cls: type[T]) -> T:
    """Read the declared parameters into their dataclass."""
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    return cls(**{name: node.get_parameter(name).value for name in names})
