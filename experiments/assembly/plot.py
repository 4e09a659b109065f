"""The plot of the assembly study: survival by step of every condition, and what single steps alone would promise."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

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

_LOOKS = ((BASE, "o"), (REFINED, "s"), (SAMPLED, "D"), (UNIFORM, "^"))
_SHIFT = 0.08


def drawn(sequence: str, conditions: dict[str, Any]) -> bytes:
    """Draw the figures of :func:`experiments.assembly.summary.summarize` by condition as PNG."""
    with styled():
        figure = new_figure(3.8)
        axes = figure.subplots()
        for index, (name, figures) in enumerate(conditions.items()):
            color, marker = _LOOKS[index % len(_LOOKS)]
            steps = figures["steps"]
            at = np.arange(len(steps)) + _SHIFT * (index - (len(conditions) - 1) / 2)
            survival = [row["survival"] for row in steps.values()]
            rates = np.array([100 * row["rate"] for row in survival])
            low, high = (np.array([100 * row["interval"][end] for row in survival]) for end in (0, 1))
            axes.errorbar(at, rates, [rates - low, high - rates], color=color, marker=marker, ms=5, lw=1.4, label=name)
            if all("alone" in row for row in steps.values()):
                product = 100 * np.cumprod([row["alone"]["rate"] for row in steps.values()])
                axes.plot(at, product, color=color, lw=1, ls=":", label=f"{name}: product of steps alone")
        axes.set_xticks(range(len(steps)), [step.replace("_", " ") for step in steps], rotation=20, ha="right")
        axes.set_ylabel("all parts seated so far, %")
        axes.set_ylim(0, 102)
        figure.legend(loc="outside lower center", ncols=3)
        headline(figure, f"{sequence}: survival from step to step")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
        return buffer.getvalue()
