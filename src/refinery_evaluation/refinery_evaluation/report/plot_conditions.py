"""The success rates with their intervals, side by side."""

from __future__ import annotations

from typing import NamedTuple

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

_STEP, _GAP = 0.9, 0.5
"""Distance of bars, and extra distance between those in simulation and those through the nodes."""


class Condition(NamedTuple):
    """A success rate to show."""

    kind: str
    """One of :data:`COLOURS`."""
    where: str
    """In simulation or through the nodes."""
    which: str
    """Policy and starts."""
    rate: Rate | None
    """Strict success; None where nothing was run."""


COLOURS = {"base": BASE, "refined": REFINED, "uniform": UNIFORM, "sampled": SAMPLED}
"""Colour of each kind of condition."""


def conditions_of(data: DemoData) -> tuple[Condition, ...]:
    """Return the conditions: those in simulation that were run, and both kinds of trials through the nodes."""
    simulated = (
        Condition("base", "in simulation", "base policy", data.base),
        Condition("base", "in simulation", "base, observations clipped", data.clipped),
        Condition("refined", "in simulation", "refined policy", data.refined),
        Condition("refined", "in simulation", "refined, chosen starts", data.started),
    )
    return (
        *(condition for condition in simulated if condition.rate is not None),
        Condition("uniform", "through the nodes", "refined, uniform starts", data.rate_from("uniform")),
        Condition("sampled", "through the nodes", "refined, sampled starts", data.rate_from("sampled")),
    )


def conditions(data: DemoData) -> bytes:
    """Draw the conditions as bars with 95 % Wilson intervals, labelled k/n; returns a PNG."""
    found = conditions_of(data)
    simulated = len(found) - 2
    places = [1.0 + _GAP + _STEP * (simulated - i) for i in range(simulated)] + [1.0, 0.1]
    with styled():
        figure = new_figure(1.7 + 0.9 * simulated)
        axes = figure.subplots()
        for place, condition in zip(places, found, strict=True):
            _bar(axes, place, COLOURS[condition.kind], condition.rate)
        axes.set_yticks(places, [f"{condition.which}\n({condition.where})" for condition in found])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        percent_axis(axes, vertical=False)
        axes.set_ylim(-0.5, places[0] + 0.6)
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
