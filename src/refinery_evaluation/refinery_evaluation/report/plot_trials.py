"""Success of an evaluation's conditions: bars with intervals, and a map of where its trials began."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from refinery.initial_state import Box
from refinery.statistics import Rate
from refinery_evaluation.report.formatting import Dimension, counts, free_dimensions, interval, percent
from refinery_evaluation.report.style import BASE, FAINT, INK, REFINED, new_figure, percent_axis, png, styled
from refinery_evaluation.trials.figures import Figures


def rates_plot(figures: Figures) -> bytes:
    """Draw success by condition with 95 % Wilson intervals, labelled; returns a PNG."""
    names = list(figures.rates)
    places = list(range(len(names)))[::-1]
    with styled():
        figure = new_figure(1.1 + 0.62 * len(names))
        axes = figure.subplots()
        for place, name in zip(places, names, strict=True):
            _bar(axes, place, figures.rates[name], FAINT if name == figures.control else REFINED)
        axes.set_yticks(places, [f"{name} (control)" if name == figures.control else name for name in names])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        percent_axis(axes, vertical=False)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel("success [%]; black lines: 95 % intervals (Wilson)")
        return png(figure)


def _bar(axes: Axes, place: float, rate: Rate, colour: str) -> None:
    low, high = rate.interval
    axes.barh(place, 100 * rate.value, height=0.55, color=colour, alpha=0.75)
    axes.plot([100 * low, 100 * high], [place, place], color=INK, linewidth=2.2, solid_capstyle="butt")
    label = f"{percent(rate)} ({counts(rate)}), {interval(rate)}"
    axes.text(1.5, place + 0.33, label, va="bottom", ha="left", fontsize=9, color=INK)


def trials_map(figures: Figures, box: Box) -> bytes | None:
    """Draw where trials began and how they ended, a panel a condition; None where nothing varies in two dimensions."""
    dims = free_dimensions(box)
    if len(dims) < 2 or not figures.rates:
        return None
    across, up = _widest(dims, box)
    with styled():
        figure = new_figure(3.6)
        panels = np.atleast_1d(figure.subplots(1, len(figures.rates), sharex=True, sharey=True))
        for axes, name in zip(panels, figures.rates, strict=True):
            trials = [trial for trial in figures.trials(name) if np.isfinite(trial.record.theta).all()]
            theta = np.array([trial.record.theta for trial in trials]).reshape(-1, 9)
            won = np.array([trial.success for trial in trials], dtype=bool)
            x, y = across.shown(theta), up.shown(theta)
            axes.scatter(x[won], y[won], s=26, marker="o", facecolors="none", edgecolors=REFINED, linewidths=1.3)
            axes.scatter(x[~won], y[~won], s=46, marker="X", c=BASE, edgecolors=INK, linewidths=0.7)
            axes.set_title(f"{name}: {counts(figures.rates[name])}")
            axes.set_xlabel(across.label)
        panels[0].set_ylabel(up.label)
        handles = [
            Line2D([], [], ls="", marker="o", ms=6, mfc="none", mec=REFINED, label="success"),
            Line2D([], [], ls="", marker="X", ms=7, mfc=BASE, mec=INK, label="failure"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        return png(figure)


def _widest(dims: tuple[Dimension, ...], box: Box) -> tuple[Dimension, Dimension]:
    """The two dimensions of the largest extent, a millimetre counting as much as a degree."""
    size = {dim: (box.high - box.low)[dim.index] * dim.factor for dim in dims}
    first, second = sorted(sorted(dims, key=lambda dim: -size[dim])[:2], key=lambda dim: dim.index)
    return first, second
