"""The plots of the study, drawn from the contents of ``study.json``."""

from __future__ import annotations

import io
import math

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from experiments.study.page import NAMES
from experiments.study.summary import CONDITIONS, Json
from refinery.statistics import Rate
from refinery_evaluation.report import style
from refinery_evaluation.report.style import BASE, INK, REFINED, SAMPLED, UNIFORM, headline, new_figure, styled

_MARKS = {
    "base": (BASE, "o"),
    "clipped": (UNIFORM, "s"),
    "refined": (REFINED, "o"),
    "started": (SAMPLED, "D"),
    "retried": (INK, "P"),
}
_COLUMNS = 3


def conditions(study: Json) -> bytes:
    """Pooled success of every condition with Wilson intervals, a row a task; PNG."""
    tasks = study["tasks"]
    with styled():
        figure = new_figure(1.5 + 0.62 * len(tasks))
        axes = figure.subplots()
        lowest = 100.0
        for row, task in enumerate(tasks.values()):
            for index, (name, (colour, marker)) in enumerate(_MARKS.items()):
                found = Rate(k=task[name]["k"], n=task[name]["n"])
                low, high = (100 * end for end in found.interval)
                value, place = 100 * found.value, row + 0.13 * (index - (len(_MARKS) - 1) / 2)
                lowest = min(lowest, low)
                reach = [[max(value - low, 0)], [max(high - value, 0)]]
                axes.errorbar(value, place, xerr=reach, fmt=marker, color=colour, ms=5, lw=1.3, capsize=2.5)
        axes.set_yticks(range(len(tasks)), list(tasks))
        axes.set_ylim(len(tasks) - 0.5, -0.5)
        axes.set_xlim(max(0, 5 * math.floor(lowest / 5) - 2), 101)
        axes.set_xlabel("strict success [%], training seeds pooled; lines: 95 % intervals (Wilson) over test episodes")
        handles = [
            Line2D([], [], ls="", marker=marker, ms=6, color=colour, label=NAMES[name])
            for name, (colour, marker) in _MARKS.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(CONDITIONS), handletextpad=0.1)
        headline(figure, "What refining, chosen starts and a retry bring")
        return _small(figure)


def learning(study: Json) -> bytes:
    """Validated success while training: every task a panel, a line a training seed; PNG."""
    tasks = study["tasks"]
    columns, rows = min(_COLUMNS, len(tasks)), math.ceil(len(tasks) / _COLUMNS)
    with styled():
        figure = new_figure(0.9 + 2.1 * rows)
        grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel())
        for axes in grid[len(tasks) :]:
            axes.set_visible(False)
        for index, (axes, (name, task)) in enumerate(zip(grid, tasks.items(), strict=False)):
            for curve in task["curve"]:
                steps = [point["env_steps"] / 1000 for point in curve]
                success = [100 * point["k"] / point["n"] for point in curve]
                axes.plot(steps, success, "o-", color=REFINED, lw=1.4, ms=3, alpha=0.8)
            axes.set_title(name)
            if index % columns == 0:
                axes.set_ylabel("strict success [%]")
            if index >= len(tasks) - columns:
                axes.set_xlabel("environment steps [1000]")
                axes.tick_params(labelbottom=True)
        headline(figure, "Validated success while training, from the clipped base on; a line a training seed")
        return _small(figure)


def _small(figure: Figure) -> bytes:
    """The figure with a palette of 96 colours: plots have few, and the file is committed."""
    image = Image.open(io.BytesIO(style.png(figure))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(96, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
