"""The four success rates with their intervals, side by side."""

from __future__ import annotations

from matplotlib.axes import Axes

from refinery.statistics import Rate
from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.formatting import counts, interval, percent
from refinery_evaluation.report.style import (
    BASE,
    FAINT,
    INK,
    REFINED,
    SAMPLED,
    UNIFORM,
    headline,
    new_figure,
    percent_axis,
    png,
    styled,
)


def conditions_of(data: DemoData) -> tuple[tuple[str, str, Rate | None], ...]:
    """Return (where, which, rate) of base, refined, uniform and sampled starts; None where nothing was run."""
    return (
        ("in simulation", "base policy", data.base),
        ("in simulation", "refined policy", data.refined),
        ("through the nodes", "refined, uniform starts", data.rate_from("uniform")),
        ("through the nodes", "refined, sampled starts", data.rate_from("sampled")),
    )


def conditions(data: DemoData) -> bytes:
    """Draw the four conditions as bars with 95 % Wilson intervals, labelled k/n; returns a PNG."""
    found = conditions_of(data)
    with styled():
        figure = new_figure(3.5)
        axes = figure.subplots()
        places = (3.3, 2.4, 1.0, 0.1)
        for place, colour, (_, _, rate) in zip(places, (BASE, REFINED, UNIFORM, SAMPLED), found, strict=True):
            _bar(axes, place, colour, rate)
        axes.set_yticks(places, [f"{which}\n({where})" for where, which, _ in found])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        percent_axis(axes, vertical=False)
        axes.set_ylim(-0.5, 3.9)
        axes.set_xlabel("strict success [%]; black lines: 95 % intervals (Wilson)")
        headline(figure, _title(data))
        return png(figure)


def _bar(axes: Axes, place: float, colour: str, rate: Rate | None) -> None:
    if rate is None:
        axes.text(1, place, "no trials were run", va="center", color=FAINT)
        return
    low, high = rate.interval
    value = 100 * rate.value
    axes.barh(place, value, height=0.62, color=colour)
    reach = [[max(value - 100 * low, 0)], [max(100 * high - value, 0)]]
    axes.errorbar(value, place, xerr=reach, color=INK, capsize=5, lw=1.6, capthick=1.6)
    text = f"{counts(rate)} = {percent(rate)}  ({interval(rate)})"
    axes.text(102, place, text, va="center", ha="left", clip_on=False)


def _title(data: DemoData) -> str:
    start = f"Refining: {percent(data.base)} to {percent(data.refined)} in simulation"
    uniform, sampled = data.rate_from("uniform"), data.rate_from("sampled")
    trials = [f"{percent(r)} ({s})" for r, s in ((uniform, "uniform"), (sampled, "sampled")) if r is not None]
    return f"{start}. Nodes: {', '.join(trials) or 'no trials'}"
