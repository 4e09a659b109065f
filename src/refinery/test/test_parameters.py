"""Values against declared parameters: what people mistype is named, and what they mean is understood."""

from dataclasses import dataclass

import pytest

from refinery.errors import ConfigError, RefineryError
from refinery.parameters import Typed, fitting, parameter, raise_all


@dataclass(frozen=True, kw_only=True)
class Declared:
    stop_age_s: float = parameter(0.1, "Age [s]", 0.005, 10.0)
    gain: float = parameter(1.0, "No range")
    ticks: int = parameter(5, "Ticks", 1, 100)
    dry_run: bool = parameter(False, "Dry")
    record_dir: str = parameter("", "Folder")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("stop_age_s", 1, 1.0),
        ("stop_age_s", Typed("1"), 1.0),
        ("stop_age_s", Typed("5e-3"), 0.005),
        ("gain", Typed("-2"), -2.0),
        ("ticks", Typed("7"), 7),
        ("dry_run", Typed("true"), True),
        ("dry_run", False, False),
        ("record_dir", Typed("20261126"), "20261126"),
        ("record_dir", Typed("007"), "007"),
        ("record_dir", Typed("1e3"), "1e3"),
        ("record_dir", Typed("on"), "on"),
        ("record_dir", Typed("[1"), "[1"),
        ("record_dir", Typed("'quoted: text'"), "quoted: text"),
        ("record_dir", Typed(""), ""),
        ("record_dir", 20261126, "20261126"),
        ("use_sim_time", Typed("true"), True),
        ("qos_overrides./tf.subscription.depth", Typed("3"), 3),
    ],
)
def test_what_is_meant_is_understood(name, value, expected):
    fit, problems = fitting(Declared, {name: value}, "node")
    assert problems == []
    assert fit == {name: expected} and type(fit[name]) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stop_age_s", 0.001),
        ("stop_age_s", 11),
        ("stop_age_s", float("nan")),
        ("stop_age_s", True),
        ("stop_age_s", "0.2"),
        ("stop_age_s", Typed("soon")),
        ("stop_age_s", Typed("")),
        ("stop_age_s", Typed("[1")),
        ("stop_age_s", Typed(".inf")),
        ("ticks", 5.0),
        ("ticks", Typed("5.5")),
        ("ticks", 0),
        ("ticks", True),
        ("dry_run", 1),
        ("dry_run", Typed("maybe")),
        ("record_dir", 1.5),
        ("record_dir", True),
        ("use_sim_time", Typed("3")),
        ("qos_overrides./tf.subscription.depth", Typed("[3")),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name, value):
    fit, (problem,) = fitting(Declared, {name: value}, "node")
    assert fit == {}
    assert (problem.source, problem.key) == ("node", name)


def test_the_range_is_named():
    _, (problem,) = fitting(Declared, {"stop_age_s": 11}, "node")
    assert problem.expected == "a number in 0.005 to 10"


@pytest.mark.parametrize(
    ("name", "meant"), [("stop_age", "stop_age_s"), ("record_dirs", "record_dir"), ("use_simtime", "use_sim_time")]
)
def test_an_unknown_name_is_refused_with_what_was_meant(name, meant):
    _, (problem,) = fitting(Declared, {name: 1.0}, "node")
    assert str(problem).endswith(f"did you mean {meant}?")


def test_all_mistakes_are_named_at_once():
    _, problems = fitting(Declared, {"stop_age": 1.0, "ticks": 0, "gain": 1}, "node")
    with pytest.raises(RefineryError) as raised:
        raise_all(problems)
    assert "stop_age_s?" in str(raised.value) and "ticks" in str(raised.value)
    raise_all([])
    with pytest.raises(ConfigError):
        raise_all(problems[:1])
