"""How every plot looks: one palette, one size, drawn off screen with matplotlib's Agg."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH_IN = 9.0
"""Width of a plot, [in]; shown 900 px wide, so that a font of 10 pt is 14 px high."""
DOTS_PER_INCH = 160
"""Resolution of the image files, [dpi]; sharp on dense screens and on paper."""
BASE = "#b5562c"
"""Colour of the base policy (before)."""
REFINED = "#1b6a93"
"""Colour of the refined policy (after)."""
UNIFORM = "#8a6fb0"
"""Colour of trials from uniform starts."""
SAMPLED = "#2a8f6b"
"""Colour of trials from sampled starts."""
INK = "#22272e"
"""Colour of text."""
FAINT = "#6a737d"
"""Colour of what should not draw the eye."""

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#aeb6bf",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ec",
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw with the house style, leaving matplotlib's global settings as they were."""
    with matplotlib.rc_context(_RC):  # type: ignore[arg-type]
        yield


def new_figure(height_in: float) -> Figure:
    """Return a figure of the house's width without any global state behind it."""
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr,call-arg]
    FigureCanvasAgg(figure)
    return figure


def headline(figure: Figure, text: str) -> None:
    """Say on top, left-aligned, what one should see."""
    figure.suptitle(text, x=0.012, ha="left", fontsize=11.5, fontweight="bold")


def percent_axis(axes: Axes, *, vertical: bool = True) -> None:
    """Scale an axis from 0 to 100 % with a little room for markers."""
    if vertical:
        axes.set_ylim(-3, 103)
        axes.set_yticks(range(0, 101, 20))
    else:
        axes.set_xlim(0, 100)
        axes.set_xticks(range(0, 101, 20))


def png(figure: Figure) -> bytes:
    """Return the figure as the bytes of a PNG file, the same for the same data."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()
