"""Formatting of numbers and quantities, the same on the page, in the plots and on the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from refinery.initial_state import THETA_NAMES, Array, Box
from refinery.statistics import Rate
from refinery.theta_units import shown_unit

FINE_FROM = 200
"""From this many trials on, a percentage is given to a tenth."""
NOTHING = "-"
"""Stands for a number that is not known."""
SPACE = "\u00a0"
"""Keeps a number and its unit on one line."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One coordinate of theta in the unit people use."""

    index: int
    """Position in theta."""
    column: int
    """Position among the free dimensions (the column in unit-box coordinates)."""
    name: str
    """As in THETA_NAMES."""
    factor: float
    """From m or rad to the unit shown."""
    unit: str
    """The unit shown: mm or deg."""

    @property
    def label(self) -> str:
        """Axis label."""
        return f"{self.name} [{self.unit}]"

    def shown(self, theta: Array) -> Array:
        """Return this coordinate of theta (B, 9) in the unit shown, shape (B,)."""
        column: Array = theta[:, self.index] * self.factor
        return column


def free_dimensions(box: Box) -> tuple[Dimension, ...]:
    """Return the dimensions in which a box has an extent."""
    return tuple(
        Dimension(index=int(index), column=column, name=name, factor=factor, unit=unit)
        for column, index in enumerate(box.free)
        for name in (THETA_NAMES[index],)
        for factor, unit in (shown_unit(name),)
    )


def digits_for(n: int) -> int:
    """Return how many decimals a percentage out of ``n`` deserves."""
    return 1 if n >= FINE_FROM else 0


def percent(rate: Rate) -> str:
    """Return ``95 %`` (with a space that does not break)."""
    return f"{100 * rate.value:.{digits_for(rate.n)}f}{SPACE}%"


def interval(rate: Rate, joint: str = "to") -> str:
    """Return ``76 to 99 %``, the 95 % Wilson interval."""
    low, high = rate.interval
    digits = digits_for(rate.n)
    return f"{100 * low:.{digits}f} {joint} {100 * high:.{digits}f}{SPACE}%"


def counts(rate: Rate) -> str:
    """Return ``19/20``."""
    return f"{rate.k}/{rate.n}"


def points(low: float, high: float) -> str:
    """Return an interval of a difference of rates in percentage points, ``-11 to +31 points``."""
    return f"{round(100 * low):+d} to {round(100 * high):+d} points"


def p_value(value: float) -> str:
    """Return ``p = 0.03`` or ``p < 0.0001``."""
    if not math.isfinite(value):
        return "p not computed"
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.2g}"


def thousands(value: int) -> str:
    """Return ``200,000``."""
    return f"{value:,}"


def duration(seconds: float) -> str:
    """Return ``9 min 42 s``."""
    if not math.isfinite(seconds):
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def number(value: float | None, digits: int, unit: str = "", *, signed: bool = False) -> str:
    """Return a number with its unit, a dash for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    # A rounded zero has no sign.
    text = text.replace("-", "\N{MINUS SIGN}") if float(text) else f"{0:.{digits}f}"
    return text + ("" if unit in ("", "°") else SPACE) + unit


def enumerate_names(names: Sequence[str]) -> str:
    """Return ``x, y and yaw``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "none"
