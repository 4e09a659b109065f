"""Shapes that are drawn into a picture of the cell and are not part of it, as RViz draws markers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import mujoco
import numpy as np

from refinery.config import check

ELLIPSOID, ARROW, LINE, LABEL = "ellipsoid", "arrow", "line", "label"
"""Kinds of shapes."""
_KINDS = {
    ELLIPSOID: mujoco.mjtGeom.mjGEOM_ELLIPSOID,
    ARROW: mujoco.mjtGeom.mjGEOM_ARROW,
    LINE: mujoco.mjtGeom.mjGEOM_CAPSULE,
    LABEL: mujoco.mjtGeom.mjGEOM_LABEL,
}
_BETWEEN = (ARROW, LINE)


@dataclass(frozen=True, kw_only=True)
class Decoration:
    """A shape. Positions in the base frame."""

    kind: str
    """One of ellipsoid, arrow, line, label."""
    pos_m: tuple[float, ...]
    """Centre, or where an arrow or a line begins, shape (3,), [m]."""
    rgba: tuple[float, ...]
    """Colour, shape (4,), [0, 1]."""
    size_m: tuple[float, ...] = (0.001, 0.001, 0.001)
    """Half axes of an ellipsoid, shape (3,); of arrows and lines the first is half their width, [m]."""
    end_m: tuple[float, ...] = ()
    """Where an arrow or a line ends, shape (3,), [m]."""
    axes: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    """Rotation matrix of an ellipsoid, row by row, shape (9,)."""
    text: str = ""
    """Text of a label."""

    def __post_init__(self) -> None:
        """Validate kind and shapes."""
        check(self.kind in _KINDS, "kind", f"one of {', '.join(_KINDS)}", self.kind)
        ends = 3 if self.kind in _BETWEEN else 0
        for name, size in (("pos_m", 3), ("rgba", 4), ("size_m", 3), ("end_m", ends), ("axes", 9)):
            values = getattr(self, name)
            check(len(values) == size and bool(np.isfinite(values).all()), name, f"{size} numbers", values)


def draw(scene: mujoco.MjvScene, decorations: Iterable[Decoration]) -> None:
    """Add shapes to a scene, as many as it has room for.

    Args:
        scene: Filled with the cell already.
        decorations: In the order in which they are drawn.
    """
    for item in decorations:
        if scene.ngeom >= scene.maxgeom:
            return
        geom = scene.geoms[scene.ngeom]
        kind, rgba = _KINDS[item.kind], np.array(item.rgba, dtype=np.float32)
        mujoco.mjv_initGeom(geom, kind, np.array(item.size_m), np.array(item.pos_m), np.array(item.axes), rgba)
        if item.kind in _BETWEEN:
            mujoco.mjv_connector(geom, kind, item.size_m[0], np.array(item.pos_m), np.array(item.end_m))
        geom.label = item.text
        scene.ngeom += 1
