"""A task as a drawing (SVG): section in its hole, plate, the held plug from the side, and the boxes of starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import numpy as np
import shapely
from shapely import MultiPolygon

from refinery.initial_state import THETA_NAMES
from refinery.task import SOCKET_BOTTOM_M, Task
from refinery.theta_units import shown_unit
from refinery_sim.planar import common, minus
from refinery_sim.plate import grown
from refinery_sim.section import half_size_m, section_shape
from refinery_sim.solids import solid_shape

WIDTH, PANEL = 1200, 360
"""Width of the drawing and edge of a panel, in its own units (pixels at 100 %)."""
_TOP, _GAP = 60, 30
_PLATE, _PLUG, _HOLE, _INK, _FAINT = "#9fb3bd", "#d98a3d", "#ffffff", "#22272e", "#6a737d"
_TRAINED, _DEPLOYED = "#1b6a93", "#cfe0ea"
_FINGER_M = (0.009, 0.018)
_ROW = 30


class _Panel:
    """A square panel whose points are given in metres, y up.

    Args:
        left: Left edge on the drawing.
        middle_m: Point in its middle.
        span_m: Extent of its edge, [m].
    """

    def __init__(self, left: float, middle_m: tuple[float, float], span_m: float) -> None:
        self._left, self._middle, self.scale = left, middle_m, PANEL / span_m

    def at(self, x_m: float, y_m: float) -> tuple[float, float]:
        x = self._left + PANEL / 2 + (x_m - self._middle[0]) * self.scale
        return x, _TOP + PANEL / 2 - (y_m - self._middle[1]) * self.scale

    def area(self, rings_m: Iterable[Iterable[tuple[float, float]]], fill: str, more: str = "") -> str:
        paths = ["M" + " L".join("{:.2f},{:.2f}".format(*self.at(x, y)) for x, y in ring) + " Z" for ring in rings_m]
        return f'<path d="{" ".join(paths)}" fill="{fill}" fill-rule="evenodd" stroke="{_INK}" {more}/>'

    def box(self, low: tuple[float, float], high: tuple[float, float], fill: str, more: str = "") -> str:
        (x0, y0), (x1, y1) = low, high
        return self.area([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]], fill, more)

    def words(self, x_m: float, y_m: float, text: str, more: str = "") -> str:
        return _words(*self.at(x_m, y_m), text, more)

    def title(self, text: str, below: str) -> str:
        frame = f'<rect x="{self._left}" y="{_TOP}" width="{PANEL}" height="{PANEL}" fill="none" stroke="#d5dade"/>'
        return (
            frame
            + _words(self._left, _TOP - 10, text, 'font-weight="bold"')
            + _words(self._left, _TOP + PANEL + 20, below, f'fill="{_FAINT}"')
        )


def draw(task: Task) -> str:
    """Return the drawing.

    Args:
        task: Its section must make a shape; everything else may still have mistakes.
    """
    rows = [i for i in range(len(THETA_NAMES)) if _span(task, i) > 0 or THETA_NAMES[i] == "z"]
    height = _TOP + PANEL + 90 + _ROW * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="DejaVu Sans, Arial, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _words(20, 28, f"{task.name}: {task.description}", 'font-size="17" font-weight="bold"'),
        *_from_above(task),
        *_section_in_hole(task),
        *_from_the_side(task),
        *_boxes(task, rows, _TOP + PANEL + 60),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _section_in_hole(task: Task) -> Iterator[str]:
    shape = section_shape(task.plug.section)
    x, y = half_size_m(task.plug.section)
    panel = _Panel(_left(0), (0.0, 0.0), 3.0 * max(x, y))
    reach = 1.4 * max(x, y)
    hole = _hole(task, reach)
    yield panel.box((-reach, -reach), (reach, reach), _PLATE, 'stroke-width="0"')
    if task.socket.chamfer_m > 0:
        yield panel.area(_rings(grown(hole, task.socket.chamfer_m)), "#c9d6dc", 'stroke-width="0.7"')
    yield panel.area(_rings(hole), _HOLE, 'stroke-width="1"')
    yield panel.area(_rings(shape), _PLUG, 'stroke-width="1"')
    for side in (-1, 1):
        low, high = sorted((side * 1.02 * y, side * (y + 0.25 * max(x, y))))
        pad = 'fill-opacity="0.5" stroke-dasharray="3 2"'
        yield panel.box((-0.35 * x, low), (0.35 * x, high), "#7a6f9b", pad)
    yield panel.words(-0.97 * reach, -0.92 * reach, "violet: the finger pads, which close along y")
    yield from _axes(panel, 0.35 * max(x, y))
    size = f"section {2e3 * x:.4g} x {2e3 * y:.4g} mm"
    yield panel.title("Section in its hole", f"{size}, clearance {1e3 * task.socket.clearance_m:.3g} mm per side")


def _from_above(task: Task) -> Iterator[str]:
    edge = task.socket.plate_half_size_m
    box = task.initial_state.deployed
    reach = max(edge, float(np.abs([box.low[:2], box.high[:2]]).max()) + max(half_size_m(task.plug.section)))
    panel = _Panel(_left(1), (0.0, 0.0), 2.15 * reach)
    yield panel.box((-edge, -edge), (edge, edge), _PLATE)
    yield panel.area(_rings(_hole(task, edge)), _HOLE)
    for neighbour in task.socket.neighbours:
        (cx, cy, _), (hx, hy, _) = neighbour.centre_m, neighbour.half_size_m
        yield panel.box((cx - hx, cy - hy), (cx + hx, cy + hy), "#8f8f86")
    for spec, dash in ((task.initial_state.deployed_in, "6 3"), (task.initial_state.trained_in, "2 2")):
        lines = f'fill-opacity="0" stroke-dasharray="{dash}"'
        yield panel.box((spec.x[0], spec.y[0]), (spec.x[1], spec.y[1]), "white", lines)
    below = f"{2e3 * edge:g} x {2e3 * edge:g} mm; dashed: where the tip starts"
    yield panel.title("Plate from above", below)


def _from_the_side(task: Task) -> Iterator[str]:
    depth, length = task.socket.depth_m, task.plug.length_m
    x, _ = half_size_m(task.plug.section)
    gap, chamfer, start = max(task.socket.clearance_m, 0.0), task.socket.chamfer_m, task.initial_state.deployed.low[2]
    top, bottom = start + length + 0.02, -SOCKET_BOTTOM_M
    panel = _Panel(_left(2), (0.0, (top + bottom) / 2), 1.05 * (top - bottom))
    wide = 0.5 * (top - bottom)
    hole, mouth = x + gap, x + gap + chamfer
    if task.socket.solids:
        yield from _cut_solids(task, panel, wide, bottom)
    else:
        for side in (-1, 1):
            wall = [(hole, 0.0), (hole, depth - chamfer), (mouth, depth), (wide, depth), (wide, 0.0)]
            yield panel.area([[(side * px, pz) for px, pz in wall]], _PLATE)
        yield panel.box((-wide, bottom), (wide, 0.0), _PLATE)
    yield panel.box((-x, 0.0), (x, length), "none", 'stroke-dasharray="3 3" stroke-width="0.8"')
    yield panel.box((-x, start), (x, start + length), _PLUG)
    grip = start + task.plug.grasp_xyz_m[2]
    half, tall = _FINGER_M
    yield panel.box((-half, grip - half), (half, grip - half + 2 * tall), "#7a6f9b", 'fill-opacity="0.45"')
    yield panel.words(half + 0.002, grip, f"tool {1e3 * task.plug.grasp_xyz_m[2]:g} mm over tip")
    yield panel.words(-0.97 * wide, depth + 0.002, f"rim {1e3 * depth:g} mm over seat")
    words = f"start {1e3 * start:g} mm over seat"
    yield panel.words(0.97 * wide, start + 0.002, words, 'text-anchor="end"')
    yield panel.title("From the side (x, z)", f"plug {1e3 * length:g} mm long; dashed: the plug when seated")


def _cut_solids(task: Task, panel: _Panel, wide_m: float, bottom_m: float) -> Iterator[str]:
    """Solids of the socket cut along y = 0, as far as the panel shows them."""
    line = shapely.LineString([(-wide_m, 0.0), (wide_m, 0.0)])
    for solid in task.socket.solids:
        low = max(solid.low_m, bottom_m)
        for part in shapely.get_parts(common(line, solid_shape(solid))):
            left, _, right, _ = part.bounds
            if right > left and solid.high_m > low:
                yield panel.box((left, low), (right, solid.high_m), _PLATE)


def _boxes(task: Task, rows: list[int], top: float) -> Iterator[str]:
    """Bars of the deployed box with the trained one inside, for every dimension that varies, and the height."""
    left, right = 190, WIDTH - 330
    yield _words(20, top - 12, "Initial states: trained (dark) within deployed (light)", 'font-weight="bold"')
    for row, index in enumerate(rows):
        name = THETA_NAMES[index]
        factor, unit = shown_unit(name)
        boxes = (task.initial_state.deployed, task.initial_state.trained)
        deployed, trained = ([factor * float(v[index]) for v in (box.low, box.high)] for box in boxes)
        low, high = min(deployed[0], trained[0]), max(deployed[1], trained[1])
        y = top + _ROW * row + 6
        yield _words(20, y + 14, f"{name} [{unit}]")
        if high == low:
            yield _words(right + 15, y + 14, f"always {low:.3g} {unit}")
            continue
        for (a, b), colour, tall in ((deployed, _DEPLOYED, 18), (trained, _TRAINED, 8)):
            start, end = (left + (right - left) * (v - low) / (high - low) for v in (a, b))
            place = f'x="{start:.1f}" y="{y + 9 - tall / 2}" width="{max(end - start, 2):.1f}" height="{tall}"'
            yield f'<rect {place} fill="{colour}"/>'
        text = f"{trained[0]:.3g} to {trained[1]:.3g} in {deployed[0]:.3g} to {deployed[1]:.3g} {unit}"
        yield _words(right + 15, y + 14, text)


def _span(task: Task, index: int) -> float:
    box = task.initial_state.deployed
    return float(box.high[index] - box.low[index])


def _hole(task: Task, reach_m: float) -> MultiPolygon:
    """Return what is free over the seat, within the given distance of the axis."""
    if not task.socket.solids:
        return grown(section_shape(task.plug.section), max(task.socket.clearance_m, 0.0))
    passed = [solid_shape(solid) for solid in task.socket.solids if solid.high_m > 0]
    free = minus(shapely.box(-reach_m, -reach_m, reach_m, reach_m), *passed)
    return free if isinstance(free, MultiPolygon) else MultiPolygon([free])


def _rings(shape: MultiPolygon) -> list[list[tuple[float, float]]]:
    return [list(ring.coords) for part in shape.geoms for ring in (part.exterior, *part.interiors)]


def _axes(panel: _Panel, length_m: float) -> Iterator[str]:
    (x0, y0), (x1, _), (_, y2) = panel.at(0, 0), panel.at(length_m, 0), panel.at(0, length_m)
    line = f"M{x1:.1f},{y0:.1f} L{x0:.1f},{y0:.1f} L{x0:.1f},{y2:.1f}"
    yield f'<path d="{line}" fill="none" stroke="{_INK}" stroke-width="2"/>'
    yield _words(x1 + 4, y0 + 4, "x") + _words(x0 - 4, y2 - 5, "y")


def _left(index: int) -> float:
    return 20 + index * (PANEL + _GAP)


def _words(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'
