"""Write docs/parameters.md from what the nodes declare: ``tools/env python tools/parameters_page.py`` or ``make docs``.

No node is started: each ``declare_parameters`` is called with something that only writes down what it is told.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor

from refinery.storage import write_whole
from refinery_assembly_node.parameters import declare_parameters as declare_assembly
from refinery_policy_node.parameters import declare_parameters as declare_policy
from refinery_sampler_node.parameters import declare_parameters as declare_sampler
from refinery_twin.move_group.parameters import declare_parameters as declare_move_group
from refinery_twin.parameters import declare_parameters as declare_twin

PAGE = Path(__file__).resolve().parents[1] / "docs" / "parameters.md"
"""The page."""
_UNIT = re.compile(r"\s*\[([^\]]+)\]")
_TYPES = {bool: "bool", int: "int", float: "double", str: "string"}
_HEAD = """\
# Parameters of the nodes

Written by `make docs` from what the nodes declare; a test fails when this page is out of date. Do not edit it.

A node does not start with a value outside its range, of another type (a whole number does for a double) or for a
parameter that is not listed here. Every node also takes `use_sim_time`, which must be what the robot profile says.
"""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One declared parameter."""

    name: str
    """Its name."""
    default: Any
    """Its default, which also gives its type."""
    descriptor: ParameterDescriptor
    """Description, range, and whether it can be changed later."""


@dataclass(frozen=True, kw_only=True)
class NodePage:
    """One node's part of the page."""

    node: str
    """Name of the node."""
    package: str
    """Its package."""
    executable: str
    """Its executable there."""
    when: str
    """When the values are read."""
    declare: Callable[[Any], object]
    """The node's own declaration."""


@dataclass(frozen=True, kw_only=True)
class _Listener:
    """Takes the place of a node in a declaration and keeps what is declared."""

    declared: list[Declared] = field(default_factory=list)
    _parameter_overrides: dict[str, Any] = field(default_factory=dict)

    def declare_parameter(
        self, name: str, default: Any, descriptor: ParameterDescriptor, *, ignore_override: bool
    ) -> SimpleNamespace:
        assert ignore_override, "a node checks what it was started with itself"
        self.declared.append(Declared(name=name, default=default, descriptor=descriptor))
        return SimpleNamespace(value=default)


NODES = (
    NodePage(
        node="refinery_policy",
        package="refinery_policy_node",
        executable="policy_node",
        when="Read at configuration: a change counts from the next `configure` on.",
        declare=declare_policy,
    ),
    NodePage(
        node="refinery_sampler",
        package="refinery_sampler_node",
        executable="sampler_node",
        when="Read at configuration: a change counts from the next `configure` on.",
        declare=declare_sampler,
    ),
    NodePage(
        node="refinery_assembly",
        package="refinery_assembly_node",
        executable="assembly_node",
        when="Read at configuration: a change counts from the next `configure` on.",
        declare=declare_assembly,
    ),
    NodePage(
        node="refinery_twin",
        package="refinery_twin",
        executable="twin_node",
        when="Read at the start; they cannot be changed later.",
        declare=declare_twin,
    ),
    NodePage(
        node="move_group",
        package="refinery_twin",
        executable="move_group_node",
        when="For the twin; a robot has MoveIt itself. Read at the start; they cannot be changed later.",
        declare=declare_move_group,
    ),
)
"""The nodes, in the order of the page."""


def declared_by(page: NodePage) -> list[Declared]:
    """Return what a node declares, in its order."""
    listener = _Listener()
    page.declare(listener)
    return listener.declared


def render() -> str:
    """Return the page."""
    parts = [_HEAD]
    for page in NODES:
        rows = [_row(item) for item in declared_by(page)]
        head = "| name | type | default | range | unit | what it means |\n|---|---|---|---|---|---|"
        intro = f"Executable `{page.executable}` of the package `{page.package}`. {page.when}"
        parts.append(f"\n## {page.node}\n\n{intro}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def _row(item: Declared) -> str:
    text = item.descriptor.description
    unit = _UNIT.search(text)
    # At its end the unit is only in the way; inside the sentence it says what it belongs to.
    text = text[: unit.start()] if unit and unit.end() == len(text) else text
    cells = (
        f"`{item.name}`",
        _TYPES[type(item.default)],
        f"`{_shown(item.default)}`",
        _range(item.descriptor),
        unit.group(1) if unit else "",
        text,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _range(descriptor: ParameterDescriptor) -> str:
    for each in (*descriptor.integer_range, *descriptor.floating_point_range):
        return f"{_shown(each.from_value)} to {_shown(each.to_value)}"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int) else f'"{value}"'


if __name__ == "__main__":
    write_whole(PAGE, render())
    sys.stdout.write(f"{PAGE}\n")
