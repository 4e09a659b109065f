"""One process of a bring-up, described without ROS."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refinery.errors import ConfigError
from refinery.parameters import fitting, plain, raise_all

_NAMESPACE = re.compile(r"(/[A-Za-z_][A-Za-z0-9_]*)+")


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
    declaration: str = ""
    """``module:class`` of the dataclass that declares its parameters; empty: any parameter is taken as it is."""
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
        overrides: Values by ``node.parameter``, plain or :class:`refinery.parameters.Typed`.

    Returns:
        New specs, in the same order.

    Raises:
        RefineryError: A key names no node of the bring-up, or no parameter of the node, or the value does not fit; the
            message names all of them.
    """
    names = [spec.name for spec in specs]
    changes: dict[str, dict[str, Any]] = {name: {} for name in names}
    problems: list[ConfigError] = []
    for key, value in overrides.items():
        node, _, parameter = key.partition(".")
        if node in changes and parameter:
            changes[node][parameter] = value
        else:
            expected = f"node.parameter with a node of {', '.join(names)}"
            problems.append(ConfigError("overrides", key, expected, key))
    fit = {}
    for spec in specs:
        fit[spec.name], wrong = _fitting(spec, changes[spec.name])
        problems += wrong
    raise_all(problems)
    return [dataclasses.replace(spec, parameters={**spec.parameters, **fit[spec.name]}) for spec in specs]


def _fitting(spec: NodeSpec, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[ConfigError]]:
    if not spec.declaration:
        return {name: plain(value, spec.name, name) for name, value in values.items()}, []
    if not values:
        return {}, []
    # Imported where it is needed: a declaration comes with the rest of its node.
    module, _, name = spec.declaration.partition(":")
    return fitting(getattr(importlib.import_module(module), name), values, spec.name)


def put_under(spec: NodeSpec, namespace: str) -> NodeSpec:
    """Return the spec with another namespace, and the time of that namespace: a cell of its own has its own.

    Raises:
        ConfigError: The namespace is neither empty nor a name with a leading slash.
    """
    check_namespace(namespace)
    if not namespace:
        return spec
    return dataclasses.replace(spec, namespace=namespace, remappings=(*spec.remappings, ("/clock", "clock")))


def check_namespace(namespace: str) -> None:
    """Check a namespace of a bring-up.

    Raises:
        ConfigError: It is neither empty nor a name with a leading slash.
    """
    if namespace and not _NAMESPACE.fullmatch(namespace):
        raise ConfigError("bring-up", "namespace", "empty, or a name with a leading slash", namespace)
