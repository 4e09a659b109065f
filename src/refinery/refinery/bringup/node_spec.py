"""One process of a bring-up, described without ROS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refinery.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """A node and how to start it."""

    package: str
    """Package of the executable."""
    executable: str
    """Executable in the package's lib folder."""
    name: str
    """Node name."""
    namespace: str = ""
    """Node namespace, empty or with a leading slash."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by name; plain YAML values."""
    arguments: Sequence[str] = ()
    """Words of its command line before those for ROS."""
    remappings: Sequence[tuple[str, str]] = ()
    """Pairs of a name in the node and the name it gets."""
    lifecycle: bool = False
    """It is a managed node; such a node gets ``autostart`` so that it needs no manager."""
    required: bool = True
    """If it ends by itself, everything else is stopped."""

    @property
    def full_name(self) -> str:
        """Namespace and name, with a leading slash."""
        return f"{self.namespace.rstrip('/')}/{self.name}"


def with_overrides(specs: Sequence[NodeSpec], overrides: Mapping[str, Any]) -> list[NodeSpec]:
    """Return the specs with some parameters changed.

    Args:
        specs: The nodes.
        overrides: Values by ``node.parameter``.

    Returns:
        New specs, in the same order.

    Raises:
        ConfigError: A key names no node of the bring-up, or no parameter.
    """
    names = [spec.name for spec in specs]
    changes: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in overrides.items():
        node, _, parameter = key.partition(".")
        if node not in changes or not parameter:
            raise ConfigError("overrides", key, f"node.parameter with a node of {', '.join(names)}", key)
        # A whole number for a parameter that is a float is what a person types; ROS would refuse the type.
        present = next(spec for spec in specs if spec.name == node).parameters.get(parameter)
        changes[node][parameter] = float(value) if type(present) is float and type(value) is int else value
    return [dataclasses.replace(spec, parameters={**spec.parameters, **changes[spec.name]}) for spec in specs]


def put_under(spec: NodeSpec, namespace: str) -> NodeSpec:
    """Return the spec with another namespace.

    Raises:
        ConfigError: The namespace is neither empty nor begins with a slash.
    """
    check_namespace(namespace)
    return dataclasses.replace(spec, namespace=namespace)


def check_namespace(namespace: str) -> None:
    """Check a namespace of a bring-up.

    Raises:
        ConfigError: It is neither empty nor begins with a slash.
    """
    if namespace and not namespace.startswith("/"):
        raise ConfigError("bring-up", "namespace", "empty, or a name with a leading slash", namespace)
