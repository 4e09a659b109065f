"""Markdown of the study's page, and how its figures are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.study.summary import Json, rate
from refinery_evaluation.report.wording import enumerate_names, number


def make_study(*options: str) -> str:
    """The command that makes the results, with options of the study."""
    words = " ".join(options)
    return "make study" + (f' ARGS="{words}"' if " " in words else f" ARGS={words}" if words else "")


def span(low: float, high: float) -> str:
    """An interval."""
    return f"{number(low, 1, signed=True)} to {number(high, 1, signed=True)}"


def difference(entry: Json) -> str:
    """A difference in points with its interval; bold where that excludes 0."""
    value = number(entry["difference_points"], 1, signed=True)
    if entry["interval_points"] is None:
        return f"{value} (one seed)"
    return bold(f"{value} ({span(*entry['interval_points'])})", entry["verdict"] in ("better", "worse"))


def points(entry: Json, over: str = "seeds") -> str:
    """The same in a sentence."""
    value = number(entry["difference_points"], 1, signed=True)
    return f"{value} points (95 % t-interval over {over} {span(*entry['interval_points'])})"


def ratio(entry: Json, name: str) -> str:
    """A ratio of steps with its interval."""
    if entry[f"{name}_note"] == "nothing to reach":
        return "no gain to reach"
    value, low, high = ("never" if r is None else f"{r:.2f}" for r in (entry[name], *entry[f"{name}_interval"]))
    return f"{value} ({low} to {high})" if low != high else value


def bold(text: str, strong: bool) -> str:
    """Bold text, or not."""
    return f"**{text}**" if strong else text


def percent(counts: Mapping[str, Any]) -> str:
    """A rate in percent."""
    return f"{100 * rate(counts).value:.1f} %"


def cell(counts: Mapping[str, Any], strong: bool = False) -> str:
    """A rate with half its interval over its counts."""
    found = rate(counts)
    low, high = found.interval
    return f"{bold(f'{100 * found.value:.1f}', strong)} ±{50 * (high - low):.1f}<br>{found.k}/{found.n}"


def code(names: Iterable[str]) -> str:
    """Names as code, enumerated."""
    return enumerate_names([f"`{name}`" for name in names])


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [" | ".join(row) for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {line} |" for line in lines)
