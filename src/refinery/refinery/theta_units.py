"""The unit in which people read a dimension of theta: millimetres for lengths, degrees for angles."""

from __future__ import annotations

import math

LENGTHS = ("x", "y", "z", "grasp_x", "grasp_z")
"""Dimensions of theta in metres; all others are in radians."""


def shown_unit(name: str) -> tuple[float, str]:
    """Return the factor from m or rad to the unit shown, and that unit (mm or deg), for a dimension of theta."""
    return (1e3, "mm") if name in LENGTHS else (math.degrees(1.0), "deg")
