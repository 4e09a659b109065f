"""Reliability diagram of both success models on test episodes that they were not fitted on."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.metrics import RateBin, calibration
from refinery_evaluation.report.style import BASE, FAINT, REFINED, headline, new_figure, percent_axis, png, styled


def reliability(data: DemoData) -> bytes:
    """Draw observed against predicted success in bins of equally many episodes with 95 % intervals; returns a PNG."""
    before = calibration(data.base_model, data.base_theta, data.before_strict)
    after = calibration(data.final_model, data.refined_theta, data.refined_strict)
    with styled():
        figure = new_figure(4.7)
        left, right = figure.subplots(1, 2, sharey=True)
        _panel(left, before, BASE, "Base policy and its model")
        _panel(right, after, REFINED, "Refined policy and its model")
        left.set_ylabel("observed success [%]")
        held, total = sum(b.holds for b in before + after), len(before) + len(after)
        headline(figure, f"The prediction lies inside the interval of what happened in {held} of {total} bins")
        return png(figure)


def _panel(axes: Axes, bins: tuple[RateBin, ...], colour: str, title: str) -> None:
    axes.plot([0, 100], [0, 100], color=FAINT, lw=1.2, ls="--", zorder=1)
    axes.annotate(
        "predicted = observed", (8, 8), (-3, 5), textcoords="offset points", rotation=45, rotation_mode="anchor",
        color=FAINT, fontsize=9, va="bottom",
    )  # fmt: skip
    x = np.array([100 * b.centre for b in bins])
    y = np.array([100 * b.rate.value for b in bins])
    ends = np.array([b.rate.interval for b in bins]) * 100
    reach = np.maximum(np.stack([y - ends[:, 0], ends[:, 1] - y]), 0)
    axes.errorbar(x, y, yerr=reach, fmt="o", ms=6, color=colour, capsize=3.5, lw=1.5, zorder=3)
    sizes = sorted({b.rate.n for b in bins})
    each = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} or {sizes[-1]}"
    axes.set_title(f"{title} ({each} episodes each)")
    percent_axis(axes)
    axes.set_xlim(-3, 103)
    axes.set_xticks(range(0, 101, 20))
    axes.set_aspect("equal")
    axes.set_xlabel("predicted success [%]")
