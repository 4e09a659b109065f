"""The plots of the study, drawn from the contents of ``study.json``; None where there is nothing to draw yet."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from PIL import Image

from experiments.study.summary import Json, rate
from refinery_evaluation.report import style
from refinery_evaluation.report.style import BASE, FAINT, INK, REFINED, SAMPLED, UNIFORM, headline, new_figure, styled

RESAMPLED = "#a8912c"
"""Colour of fine-tuning from logged failures."""
ARMS = {
    "uniform": (UNIFORM, "uniform"),
    "resampled": (RESAMPLED, "resampled failures"),
    "oracle": (SAMPLED, "oracle"),
    "refined": (REFINED, "guided"),
}
"""Colour and name of the ways of fine-tuning."""
_TABLE = {
    "base": (BASE, "o", "base"),
    "uniform": (UNIFORM, "s", "uniform fine-tuning"),
    "resampled": (RESAMPLED, "^", "resampled failures"),
    "refined": (REFINED, "o", "refined (guided)"),
    "refined_best_rule": (SAMPLED, "D", "refined, chosen start rule"),
}
_RULES = {
    "uniform": (UNIFORM, "s"),
    "resampled": (RESAMPLED, "^"),
    "best_cell": (BASE, "v"),
    "mixture": (INK, "P"),
    "superlevel": (SAMPLED, "D"),
    "model_top": (REFINED, "o"),
}
RULE_NAMES = {
    "uniform": "uniform starts",
    "resampled": "resampled successes",
    "best_cell": "best cell",
    "mixture": "mixture (paper)",
    "superlevel": "superlevel mixture",
    "model_top": "model's best 5 %",
}
"""Names of the start rules."""
_VARIANTS = ((REFINED, "o"), (RESAMPLED, "^"), (UNIFORM, "v"), (SAMPLED, "P"), (INK, "s"), (FAINT, "X"))
_COLUMNS = 3


def learning(study: Json) -> bytes | None:
    """Learning curves: every task a panel, thin lines the training seeds, thick ones their mean."""
    tasks = _most_seeds_first({name: task for name, task in study["tasks"].items() if task["curves"]})
    if not tasks:
        return None
    columns, rows = min(_COLUMNS, len(tasks)), math.ceil(len(tasks) / _COLUMNS)
    with styled():
        figure = new_figure(0.9 + 2.35 * rows)
        grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False).ravel())
        for axes in grid[len(tasks) :]:
            axes.set_visible(False)
        for index, (axes, (name, task)) in enumerate(zip(grid, tasks.items(), strict=False)):
            _curves(axes, task["curves"])
            counts = [len(curve["success"]) for curve in task["curves"].values()]
            axes.set_title(f"{name} ({_span(counts)} seeds)")
            if index % columns == 0:
                axes.set_ylabel("strict success [%]")
            if index >= len(tasks) - columns:
                axes.set_xlabel("environment steps [1000]")
        handles = [Line2D([], [], color=colour, lw=2.4, label=name) for colour, name in ARMS.values()]
        handles.append(Line2D([], [], color=FAINT, lw=0.8, label="one training seed"))
        figure.legend(handles=handles, loc="outside lower center", ncols=5)
        headline(figure, "Success over the deployment box while fine-tuning (every panel has a scale of its own)")
        return _small(figure)


def _curves(axes: Axes, curves: Json) -> None:
    lowest = 100.0
    for name, (colour, _) in ARMS.items():
        if name not in curves:
            continue
        steps = np.array(curves[name]["env_steps"]) / 1000
        success = 100 * np.array(list(curves[name]["success"].values()))
        lowest = min(lowest, float(success.min()))
        axes.plot(steps, success.T, color=colour, lw=0.8, alpha=0.4)
        axes.plot(steps, success.mean(axis=0), "o-", color=colour, lw=2.4, ms=3.5)
    _room(axes, lowest)
    axes.set_xlim(left=0)


def conditions(study: Json) -> bytes | None:
    """Pooled success of every condition with Wilson intervals, a row a task."""
    tasks = {name: task for name, task in study["tasks"].items() if any(key in task for key in _TABLE)}
    return _dots(tasks, _TABLE, "Base, controls and refinement at equal environment steps", "training seeds pooled")


def acquisition(study: Json) -> bytes | None:
    """Success by settings of guidance, with the base policy and uniform fine-tuning where they have been run."""
    reference = {"base": ("#c4cad0", "o", "base"), "uniform": ("#8b949e", "D", "uniform fine-tuning")}
    names = dict.fromkeys(name for functions in study["acquisition"].values() for name in functions)
    guided = {name: (*mark, name) for name, mark in zip(names, itertools.cycle(_VARIANTS), strict=False)}
    tasks = {
        name: {key: study["tasks"][name][key] for key in reference if key in study["tasks"].get(name, {})} | functions
        for name, functions in study["acquisition"].items()
    }
    return _dots(tasks, reference | guided, "Guided fine-tuning by its settings", "training seeds pooled")


def _dots(
    tasks: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, tuple[str, str, str]], title: str, note: str
) -> bytes | None:
    if not tasks:
        return None
    with styled():
        figure = new_figure(1.5 + 0.62 * len(tasks))
        axes = figure.subplots()
        lowest = 100.0
        for row, task in enumerate(tasks.values()):
            present = [kind for kind in kinds if kind in task]
            for place, kind in zip(_spread(row, len(present)), present, strict=True):
                colour, marker, _ = kinds[kind]
                found = rate(task[kind])
                low, high = found.interval
                value = 100 * found.value
                lowest = min(lowest, 100 * low)
                reach = [[max(value - 100 * low, 0)], [max(100 * high - value, 0)]]
                axes.errorbar(value, place, xerr=reach, fmt=marker, color=colour, ms=5.5, lw=1.3, capsize=2.5)
        _rows(axes, list(tasks))
        axes.set_xlim(max(0, 5 * math.floor(lowest / 5) - 2), 101)
        axes.set_xlabel(f"strict success [%], {note}; lines: 95 % intervals (Wilson) over test episodes")
        handles = [_marker(colour, marker, name) for colour, marker, name in kinds.values()]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), handletextpad=0.1)
        headline(figure, title)
        return _small(figure)


def structure(study: Json) -> bytes | None:
    """The four measures of structure of every task, and their null from shuffled outcomes."""
    tasks = {name: task["structure"] for name, task in study["tasks"].items() if "structure" in task}
    if not tasks:
        return None
    panels = {
        "index": ("variance between cells\nover chance", 1),
        "bits": ("held-out bits\nper episode", 1),
        "best_tenth": ("success in the model's\nbest tenth [%]", 100),
        "worst_fifth": ("share of failures in its\nworst fifth [%]", 100),
    }
    with styled():
        figure = new_figure(1.7 + 0.34 * len(tasks))
        for axes, (key, (title, factor)) in zip(figure.subplots(1, 4, sharey=True), panels.items(), strict=True):
            for row, task in enumerate(tasks.values()):
                value, mean, most = (factor * task[key][part] for part in ("value", "null_mean", "null_95"))
                above = value > most
                axes.plot([mean, most], [row, row], color="#b9c0c7", lw=6, solid_capstyle="butt", zorder=2)
                axes.plot(value, row, "o", color=REFINED, mfc=REFINED if above else "white", ms=6.5, mew=1.5, zorder=3)
            axes.set_title(title, fontsize=9.5)
            axes.margins(x=0.12)
            _rows(axes, list(tasks))
        handles = [
            _marker(REFINED, "o", "measured, above chance's 95 %"),
            Line2D([], [], ls="", marker="o", ms=6.5, mew=1.5, color=REFINED, mfc="white", label="measured, not above"),
            Line2D([], [], color="#b9c0c7", lw=6, label="shuffled outcomes: mean to 95th percentile"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
        headline(figure, "Does the base policy's success depend on where it starts?")
        return _small(figure)


def starts_calibration(study: Json) -> bytes | None:
    """Left: success of the start rules and of uniform starts; right: the success model's predictions for them."""
    tasks = {name: task["start_rules"] for name, task in study["tasks"].items() if "start_rules" in task}
    if not tasks:
        return None
    with styled():
        figure = new_figure(max(3.9, 1.9 + 0.42 * len(tasks)))
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        ends = []
        for row, rules in enumerate(tasks.values()):
            for place, (rule, (colour, marker)) in zip(_spread(row, len(_RULES)), _RULES.items(), strict=True):
                measured, predicted = 100 * rate(rules[rule]).value, 100 * rules[rule]["predicted"]
                left.plot(measured, place, marker, color=colour, ms=5.5)
                right.plot(predicted, 100 * rules[rule]["measured"], marker, color=colour, ms=5, alpha=0.85)
                ends += [measured, predicted]
        _rows(left, list(tasks))
        left.set_xlabel("strict success [%], refined policy")
        left.set_title("From these starts the refined policy succeeds")
        low = 5 * math.floor(min(ends) / 5) - 1
        left.set_xlim(low, 101)
        right.plot([low, 100], [low, 100], color=FAINT, lw=1.2, ls="--", zorder=1)
        right.set(xlim=(low, 101), ylim=(low, 101), xlabel="predicted success [%]", ylabel="measured success [%]")
        right.set_title("Predicted and measured success")
        for axis in (left.xaxis, right.xaxis, right.yaxis):
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        handles = [_marker(colour, marker, RULE_NAMES[rule]) for rule, (colour, marker) in _RULES.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=6, handletextpad=0.1, columnspacing=1.2)
        headline(figure, "Choosing where to start the refined policy")
        return _small(figure)


PLOTS: dict[str, Callable[[Json], bytes | None]] = {
    "learning": learning,
    "conditions": conditions,
    "structure": structure,
    "starts_calibration": starts_calibration,
    "acquisition": acquisition,
}
"""All plots by the stem of their file."""


def _most_seeds_first(tasks: Mapping[str, Json]) -> dict[str, Json]:
    def seeds(name: str) -> int:
        return -max(len(curve["success"]) for curve in tasks[name]["curves"].values())

    return {name: tasks[name] for name in sorted(tasks, key=seeds)}


def _span(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return str(most) if least == most else f"{least} to {most}"


def _spread(row: int, count: int) -> list[float]:
    """Places of ``count`` marks around a row, the first on top."""
    return [row + 0.11 * (index - (count - 1) / 2) for index in range(count)]


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    for edge in range(1, len(names)):
        axes.axhline(edge - 0.5, color="#e6e9ec", lw=0.8, zorder=0)


def _room(axes: Axes, lowest: float) -> None:
    axes.set_ylim(max(0, 10 * math.floor(lowest / 10)) - 1, 101)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))


def _marker(colour: str, marker: str, label: str) -> Line2D:
    return Line2D([], [], ls="", marker=marker, ms=6, color=colour, label=label)


def _small(figure: Figure) -> bytes:
    """The figure with a palette of 96 colours: plots have few, and the file is committed."""
    image = Image.open(io.BytesIO(style.png(figure))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(96, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
