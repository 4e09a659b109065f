"""What a node is started with, by real ROS arguments: declared, converted, or refused in one sentence."""

from dataclasses import dataclass

import pytest
import rclpy
from rclpy.context import Context

from refinery.errors import RefineryError
from refinery_ros.parameters import declare_all, parameter, read_all


@dataclass(frozen=True, kw_only=True)
class Declared:
    stop_age_s: float = parameter(0.1, "Age [s]", 0.005, 10.0)
    ticks: int = parameter(5, "Ticks", 1, 100)
    record_dir: str = parameter("", "Folder")


@pytest.fixture
def started():
    """Start a node with ``-p`` arguments, and return what it has declared."""
    contexts = []

    def start(*words):
        context = Context()
        rclpy.init(args=["--ros-args", *(part for word in words for part in ("-p", word))], context=context)
        contexts.append(context)
        node = rclpy.create_node("node", context=context)
        declare_all(node, Declared)
        return node

    yield start
    for context in contexts:
        rclpy.shutdown(context=context)


def test_values_get_the_declared_type(started):
    node = started("stop_age_s:=1", "record_dir:=20261126", "use_sim_time:=false")
    assert read_all(node, Declared) == Declared(stop_age_s=1.0, ticks=5, record_dir="20261126")
    assert type(node.get_parameter("stop_age_s").value) is float


def test_without_values_the_defaults_count(started):
    assert read_all(started(), Declared) == Declared()


def test_a_later_change_out_of_range_is_still_refused(started):
    node = started("stop_age_s:=1")
    results = node.set_parameters([rclpy.Parameter("stop_age_s", value=value) for value in (20.0, 2.0)])
    assert [result.successful for result in results] == [False, True]


def test_what_the_node_does_not_know_or_want_is_refused_at_once(started):
    with pytest.raises(RefineryError) as raised:
        started("stop_age:=0.2", "ticks:=0", "record_dir:=1.5")
    text = str(raised.value)
    assert "parameters: stop_age: " in text and "did you mean stop_age_s?" in text
    assert "ticks: expected a whole number in 1 to 100, got 0" in text
    assert "record_dir: expected a text, got 1.5" in text
    assert "\n" not in text
