"""The plot of the calibration experiment: success and error left over the trials of a cell."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.axes import Axes

from refinery_evaluation.report.style import (
    BASE,
    DOTS_PER_INCH,
    REFINED,
    SAMPLED,
    UNIFORM,
    headline,
    new_figure,
    styled,
)

_LOOKS = ((BASE, "o"), (REFINED, "s"), (UNIFORM, "^"), (SAMPLED, "D"))
_SHIFT = 0.09


def drawn(results: dict[str, Any]) -> bytes:
    """Draw the contents of ``calibration.json`` as PNG: tasks side by side, success above, error left below."""
    with styled():
        figure = new_figure(5.6)
        grid = figure.subplots(2, len(results), sharex="col", squeeze=False, height_ratios=(3, 2))
        for column, (task, figures) in enumerate(results.items()):
            success, left = grid[:, column]
            for index, (name, rows) in enumerate(figures["conditions"].items()):
                _lines(success, left, index, name, rows)
            success.set_title(f"{task}: {figures['cells']} cells")
            left.set_xticks(range(len(rows)), list(rows))
            left.set_xlabel("trials of a cell")
            left.set_ylim(bottom=0)
        grid[0, 0].set_ylabel("success, %")
        grid[1, 0].set_ylabel("error left, mm")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        headline(figure, "A cell that learns the constant error of its socket estimate")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
        return buffer.getvalue()


def _lines(success: Axes, left: Axes, index: int, name: str, rows: dict[str, Any]) -> None:
    color, marker = _LOOKS[index]
    at = [span + _SHIFT * (index - 1.5) for span in range(len(rows))]
    rates = [100 * row["rate"] for row in rows.values()]
    ends = [[100 * end for end in row["interval"]] for row in rows.values()]
    below = [rate - low for rate, (low, _) in zip(rates, ends, strict=True)]
    above = [high - rate for rate, (_, high) in zip(rates, ends, strict=True)]
    success.errorbar(at, rates, [below, above], color=color, marker=marker, ms=5, lw=1.4, elinewidth=1, label=name)
    left.plot(at, [row["left_mm"] for row in rows.values()], color=color, marker=marker, ms=5, lw=1.4)
