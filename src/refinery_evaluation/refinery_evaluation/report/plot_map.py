"""The success map before and after, over the two dimensions that matter most, with the mixture and the trials on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, Rectangle
from numpy.typing import NDArray

from refinery.initial_state import Array
from refinery.mixture import Mixture
from refinery.statistics import Rate
from refinery.success_model import SuccessModel
from refinery_evaluation.report.data import DemoData, TrialRecord
from refinery_evaluation.report.formatting import Dimension, counts, percent
from refinery_evaluation.report.metrics import map_dimensions, surface, worst_fifth
from refinery_evaluation.report.style import headline, new_figure, png, styled

_LEVELS = np.arange(0, 101, 5)
_COLOURS = "viridis"
_TRIALS = {"uniform": ("D", "#ff5d8f", 44), "sampled": ("^", "#ff9f1c", 62)}
_HALO: list[patheffects.AbstractPathEffect] = [patheffects.withStroke(linewidth=3.2, foreground="black")]


def success_map(data: DemoData) -> bytes | None:
    """Draw predicted and observed success of base and refined policy side by side.

    Args:
        data: The results.

    Returns:
        A PNG, or None where fewer than two dimensions are free.
    """
    dims = map_dimensions(data)
    if len(dims) < 2:
        return None
    across, up = dims
    with styled():
        figure = new_figure(5.9)
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        _panel(left, data, data.base_model, data.base_theta, data.before_strict, dims)
        filled = _panel(right, data, data.final_model, data.refined_theta, data.refined_strict, dims)
        left.set_title(f"Before: {data.before_name}, {_score(Rate.of(data.before_strict))}")
        right.set_title(f"After: refined policy, {_score(data.refined)}")
        left.set_ylabel(up.label)
        _mixture(right, data.mixture, across, up)
        for starts in ("uniform", "sampled"):
            _trial_starts(right, [t for t in data.trials if t.starts == starts], across, up)
        bar = figure.colorbar(filled, ax=[left, right], aspect=30, pad=0.02, ticks=range(0, 101, 20))
        bar.set_label("predicted success [%]")
        headline(figure, _title(data, across, up))
        figure.legend(handles=_legend(data), loc="outside lower center", ncols=4, columnspacing=1.6, handletextpad=0.5)
        return png(figure)


def _title(data: DemoData, across: Dimension, up: Dimension) -> str:
    worst = worst_fifth(data)
    if worst is None:
        return f"Success by {across.name} and {up.name}, before and after refining"
    both = (Rate.of(data.before_strict), data.refined)
    rest = [Rate(k=whole.k - part.k, n=whole.n - part.n) for whole, part in zip(both, worst, strict=True)]
    return (
        f"Worst-looking fifth of the starts: {percent(worst[0])} before, {percent(worst[1])} after; "
        f"the rest: {percent(rest[0])}, {percent(rest[1])}"
    )


def _score(rate: Rate) -> str:
    return f"{percent(rate)} ({counts(rate)})"


def _panel(
    axes: Axes,
    data: DemoData,
    model: SuccessModel,
    theta: Array,
    strict: NDArray[np.bool_],
    dims: tuple[Dimension, ...],
) -> QuadContourSet:
    """Draw one policy: predicted success, test episodes, the training box."""
    across, up = dims
    columns, rows, mean = surface(model, across, up)
    filled = axes.contourf(columns, rows, 100 * mean, levels=_LEVELS, cmap=_COLOURS, vmin=0, vmax=100)
    x, y = across.shown(theta), up.shown(theta)
    axes.scatter(x[strict], y[strict], s=5, c="white", alpha=0.55, linewidths=0, zorder=3)
    axes.scatter(x[~strict], y[~strict], s=15, c="black", edgecolors="white", linewidths=0.6, zorder=4)
    low, high = data.task.initial_state.trained.low, data.task.initial_state.trained.high
    corner = (low[across.index] * across.factor, low[up.index] * up.factor)
    width, height = ((high - low)[d.index] * d.factor for d in dims)
    box = Rectangle(corner, width, height, fill=False, ls=(0, (4, 2.5)), lw=1.6, ec="white", zorder=5)
    box.set_path_effects(_HALO)
    axes.add_patch(box)
    axes.set_xlim(columns[0], columns[-1])
    axes.set_ylim(rows[0], rows[-1])
    axes.set_xlabel(across.label)
    axes.grid(False)
    return filled


def _mixture(axes: Axes, mixture: Mixture, across: Dimension, up: Dimension) -> None:
    """Draw the 1-sigma and 2-sigma ellipses of every component's marginal over the two dimensions."""
    box = mixture.box
    pick = [across.column, up.column]
    low = np.array([box.low[d.index] * d.factor for d in (across, up)])
    size = np.array([(box.high - box.low)[d.index] * d.factor for d in (across, up)])
    for mean, covariance in zip(mixture.means, mixture.covariances, strict=True):
        marginal = covariance[np.ix_(pick, pick)] * np.outer(size, size)
        variances, vectors = np.linalg.eigh(marginal)
        angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
        centre = low + mean[pick] * size
        minor, major = np.sqrt(variances)
        for sigma, line, width in ((1, "-", 1.7), (2, ":", 1.2)):
            shape = Ellipse(
                (float(centre[0]), float(centre[1])),
                2 * sigma * float(major),
                2 * sigma * float(minor),
                angle=angle,
                fill=False,
                ec="#7ff5ff",
                lw=width,
                ls=line,
                zorder=6,
            )
            shape.set_path_effects([patheffects.withStroke(linewidth=width + 1.4, foreground="black")])
            axes.add_patch(shape)


def _trial_starts(axes: Axes, trials: Sequence[TrialRecord], across: Dimension, up: Dimension) -> None:
    """Draw where trials began; those that failed are black inside, as failures are everywhere on the map."""
    if not trials:
        return
    marker, colour, size = _TRIALS[trials[0].starts]
    theta = np.array([t.theta for t in trials], dtype=np.float64)
    strict = np.array([t.strict for t in trials], dtype=bool)
    x, y = across.shown(theta), up.shown(theta)
    for chosen, fill, ring, edge in ((strict, colour, 0.0, "black"), (~strict, "black", 5.0, colour)):
        if ring:
            axes.scatter(
                x[chosen], y[chosen], s=size, marker=marker, c="white", edgecolors="white", linewidths=ring, zorder=8,
                clip_on=False,
            )  # fmt: skip
        axes.scatter(
            x[chosen], y[chosen], s=size, marker=marker, c=fill, edgecolors=edge, linewidths=2.2 if ring else 1.0,
            zorder=9, clip_on=False,
        )  # fmt: skip


def _legend(data: DemoData) -> list[Artist]:
    """Say what the marks mean; only marks that are there."""

    def dot(label: str, colour: str, edge: str, size: float, marker: str = "o") -> Line2D:
        return Line2D([], [], ls="", marker=marker, ms=size, mfc=colour, mec=edge, label=label)

    handles: list[Artist] = [
        dot("test episode: success", "white", "#888888", 4),
        dot("test episode: failure", "black", "white", 6),
        Line2D([], [], ls=(0, (4, 2.5)), c="#444444", lw=1.6, label="box the base was trained on"),
        Line2D([], [], ls="-", c="#17a3b0", lw=1.7, label="mixture, 1 sigma (dotted: 2)"),
    ]
    for starts, (marker, colour, _) in _TRIALS.items():
        if any(t.starts == starts for t in data.trials):
            handles.append(dot(f"trial, {starts} start", colour, "black", 7, marker))
    if any(not t.strict for t in data.trials):
        handles.append(
            Line2D(
                [], [], ls="", marker="D", ms=7, mew=1.8, mfc="black", mec="#ff5d8f", label="trial that failed (black)"
            )
        )
    return handles
