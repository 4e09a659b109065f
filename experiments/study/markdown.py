"""Markdown of the study's tables: how a rate, a difference and a ratio are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.study.summary import Json, rate
from refinery_evaluation.report.formatting import enumerate_names, number


def make_study(*options: str) -> str:
    """Return the command that makes the results, with options of the study."""
    words = " ".join(options)
    return "make study" + (f' ARGS="{words}"' if " " in words else f" ARGS={words}" if words else "")


def span(low: float, high: float) -> str:
    """Return an interval of differences, ``-2.3 to +1.6``."""
    return f"{number(low, 1, signed=True)} to {number(high, 1, signed=True)}"


def difference(entry: Json) -> str:
    """Return a difference in points with its interval, bold where that excludes 0."""
    value = number(entry["difference_points"], 1, signed=True)
    if entry["interval_points"] is None:
        return f"{value} (one seed)"
    return bold(f"{value} ({span(*entry['interval_points'])})", entry["verdict"] in ("better", "worse"))


def ratio(entry: Json, name: str) -> str:
    """Return a ratio of steps with its interval."""
    if entry[f"{name}_note"] == "nothing to reach":
        return "no gain to reach"
    value, low, high = ("never" if r is None else f"{r:.2f}" for r in (entry[name], *entry[f"{name}_interval"]))
    return f"{value} ({low} to {high})" if low != high else value


def bold(text: str, strong: bool) -> str:
    """Return a text, in bold where it is ``strong``."""
    return f"**{text}**" if strong else text


def percent(counts: Mapping[str, Any]) -> str:
    """Return k of n in percent."""
    return f"{100 * rate(counts).value:.1f} %"


def cell(counts: Mapping[str, Any], strong: bool = False) -> str:
    """Return k of n in percent with half its interval, and the counts below."""
    found = rate(counts)
    low, high = found.interval
    return f"{bold(f'{100 * found.value:.1f}', strong)} ±{50 * (high - low):.1f}<br>{found.k}/{found.n}"


def code(names: Iterable[str]) -> str:
    """Return names as code, enumerated."""
    return enumerate_names([f"`{name}`" for name in names])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [" | ".join(row) for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {line} |" for line in lines)
