"""Success along each free dimension by itself, before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.formatting import Dimension, free_dimensions
from refinery_evaluation.report.metrics import RateBin, along, spread_points
from refinery_evaluation.report.style import BASE, REFINED, headline, new_figure, percent_axis, png, styled

_COLUMNS = 3
Bins = tuple[RateBin, ...]
"""Success along one dimension."""


def marginals(data: DemoData) -> bytes:
    """Draw small multiples of success in bins along each free dimension with 95 % intervals; returns a PNG."""
    dims = free_dimensions(data.box)
    before = [along(data, dim, data.base_theta, data.before_strict) for dim in dims]
    after = [along(data, dim, data.refined_theta, data.refined_strict) for dim in dims]
    columns = min(_COLUMNS, len(dims))
    rows = -(-len(dims) // columns)
    trained = data.task.initial_state.trained
    with styled():
        figure = new_figure(1.0 + 2.5 * rows)
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, dim, old, new in zip(grid.flat, dims, before, after, strict=False):
            span = [bound[dim.index] * dim.factor for bound in (trained.low, trained.high)]
            axes.axvspan(*span, color="#eef1f4", zorder=0, label="range the base was trained on")
            width = (data.box.high - data.box.low)[dim.index] * dim.factor
            _curve(axes, old, -0.008 * width, BASE, "o", "base policy")
            _curve(axes, new, 0.008 * width, REFINED, "s", "refined policy")
            percent_axis(axes)
            axes.set_xlabel(dim.label)
        for axes in grid[:, 0]:
            axes.set_ylabel("strict success [%]")
        unused = list(grid.flat)[len(dims) :]
        for axes in unused:
            axes.set_axis_off()
        handles, labels = grid[0, 0].get_legend_handles_labels()
        if unused:
            unused[0].legend(handles, labels, loc="center left", fontsize=10)
        else:
            figure.legend(handles, labels, loc="outside lower center", ncols=3)
        headline(figure, _title(dims, before, after))
        return png(figure)


def _title(dims: Sequence[Dimension], before: Sequence[Bins], after: Sequence[Bins]) -> str:
    spreads = [spread_points(bins) for bins in before]
    worst = int(np.argmax(spreads))
    old, new = f"{spreads[worst]:.0f}", f"{spread_points(after[worst]):.0f}"
    if spreads[worst] == 0:
        return "Before refining, success is the same along every dimension"
    return f"Success varies most along {dims[worst].name}: by {old} points between bins before, by {new} after"


def _curve(axes: Axes, bins: Bins, shift: float, colour: str, marker: str, label: str) -> None:
    x = np.array([b.centre for b in bins]) + shift
    y = np.array([100 * b.rate.value for b in bins])
    ends = np.array([b.rate.interval for b in bins]) * 100
    reach = np.maximum(np.stack([y - ends[:, 0], ends[:, 1] - y]), 0)
    axes.errorbar(x, y, yerr=reach, fmt=f"-{marker}", ms=4.5, lw=1.4, elinewidth=1.1, color=colour, label=label)
