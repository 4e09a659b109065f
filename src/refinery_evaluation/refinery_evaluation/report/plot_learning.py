"""The learning curve of the fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import FuncFormatter

from refinery_evaluation.report.formatting import thousands
from refinery_evaluation.report.style import FAINT, REFINED, headline, new_figure, percent_axis, png, styled

_SHARE_OF_ENDS = 0.15


def learning_points(rows: Sequence[Mapping[str, Any]]) -> list[list[tuple[float, float]]]:
    """Return (environment steps so far, success) of each round; rows without a success yet are left out.

    The count starts again with each round's log, which is how rounds are distinguished.
    """
    rounds: list[list[tuple[float, float]]] = [[]]
    offset, last = 0.0, 0.0
    for row in rows:
        steps = float(row["env_steps"])
        if steps < last:
            offset += last
            rounds.append([])
        last = steps
        success = row.get("success")
        if success is not None and math.isfinite(float(success)):
            rounds[-1].append((offset + steps, float(success)))
    return [points for points in rounds if points]


def learning_curve(rows: Sequence[Mapping[str, Any]]) -> bytes | None:
    """Draw success on the starts trained on over environment steps.

    Args:
        rows: Rows of the fine-tuning log, in order.

    Returns:
        A PNG, or None where there is nothing to draw.
    """
    rounds = learning_points(rows)
    if not rounds:
        return None
    with styled():
        figure = new_figure(3.4)
        axes = figure.subplots()
        for index, points in enumerate(rounds, start=1):
            steps, success = [p[0] for p in points], [100 * p[1] for p in points]
            axes.plot(steps, success, "-o", color=REFINED, ms=3.5, lw=1.6)
            if len(rounds) > 1:
                axes.axvline(steps[0], color=FAINT, lw=0.8, ls=":")
                axes.annotate(f" round {index}", (steps[0], 2), color=FAINT, fontsize=9)
        percent_axis(axes)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: thousands(round(value))))
        axes.set_xlabel("environment steps of fine-tuning")
        axes.set_ylabel("strict success [%]")
        first, final = _ends([p[1] for points in rounds for p in points])
        headline(figure, f"On the starts it trains on, success went from {100 * first:.0f} % to {100 * final:.0f} %")
        return png(figure)


def _ends(success: list[float]) -> tuple[float, float]:
    """Return the mean of the first and the last rows: single rows are noisy."""
    count = max(1, round(_SHARE_OF_ENDS * len(success)))
    return sum(success[:count]) / count, sum(success[-count:]) / count
