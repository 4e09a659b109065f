"""The page of parameters says what the nodes declare, all of it, today."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from domain_coordinator import domain_id
from rclpy.node import Node

TOOL = Path(__file__).resolve().parents[2] / "tools" / "parameters_page.py"


def load_tool() -> Any:
    spec = importlib.util.spec_from_file_location("parameters_page", TOOL)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TOOL_MODULE = load_tool()


@pytest.fixture
def context() -> Iterator[rclpy.Context]:
    context = rclpy.Context()
    with domain_id() as number:
        rclpy.init(context=context, domain_id=int(number))
        yield context
        rclpy.try_shutdown(context=context)


def test_the_page_is_up_to_date() -> None:
    assert TOOL_MODULE.PAGE.read_text(encoding="utf-8") == TOOL_MODULE.render(), "out of date: run `make docs`"


@pytest.mark.ros
@pytest.mark.parametrize("page", TOOL_MODULE.NODES, ids=lambda page: page.node)
def test_a_real_node_has_exactly_what_the_page_says(page: Any, context: rclpy.Context) -> None:
    node = Node(page.node, context=context)
    try:
        own = set(node.list_parameters([], 0).names)
        page.declare(node)
        listed = TOOL_MODULE.declared_by(page)
        assert set(node.list_parameters([], 0).names) - own == {item.name for item in listed}
        for item in listed:
            real = node.describe_parameter(item.name)
            assert node.get_parameter(item.name).value == item.default
            assert real.description == item.descriptor.description
            assert list(real.floating_point_range) == list(item.descriptor.floating_point_range)
            assert list(real.integer_range) == list(item.descriptor.integer_range)
            assert real.read_only == item.descriptor.read_only == (page.package == "refinery_twin")
    finally:
        node.destroy_node()


@pytest.mark.parametrize("page", TOOL_MODULE.NODES, ids=lambda page: page.node)
def test_every_number_has_a_range_and_every_parameter_a_sentence(page: Any) -> None:
    for item in TOOL_MODULE.declared_by(page):
        assert item.descriptor.description, item.name
        ranges = [*item.descriptor.integer_range, *item.descriptor.floating_point_range]
        numeric = isinstance(item.default, (int, float)) and not isinstance(item.default, bool)
        assert bool(ranges) == numeric, item.name


def test_a_change_makes_the_page_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    before = TOOL_MODULE.render()
    monkeypatch.setattr(TOOL_MODULE, "NODES", TOOL_MODULE.NODES[1:])
    assert TOOL_MODULE.render() != before
