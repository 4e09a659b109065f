"""Plots of one recorded insertion: the way over the hole, poses, wrench, actions, and when the guard held."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon

from refinery.action import ACTION_NAMES
from refinery.rotations import Array
from refinery_evaluation.explain.episode import Episode
from refinery_evaluation.report.style import (
    BASE,
    FAINT,
    INK,
    REFINED,
    SAMPLED,
    UNIFORM,
    headline,
    new_figure,
    png,
    styled,
)

_COLOURS = (BASE, REFINED, SAMPLED, UNIFORM, INK, FAINT)


def path(episode: Episode) -> bytes:
    """Draw the way of the tip over the hole from above and from the side."""
    task, relative = episode.bundle.task, episode.relative
    xyz_mm = 1e3 * relative.pos_m
    with styled():
        figure = new_figure(4.6)
        above, side = figure.subplots(1, 2)
        headline(figure, "The way of the plug's tip, in the frame of the estimated socket")
        corners = 1e3 * episode.bundle.part.corners_m
        gap = 1e3 * task.socket.clearance_m
        above.add_patch(Polygon(_grown(corners, gap), closed=True, fill=False, edgecolor=INK, label="hole (hull)"))
        for tick, style, name in ((0, ":", "plug at the start"), (-1, "-", "plug at the end")):
            turned = _outline(corners, relative.rotation.as_matrix()[tick], xyz_mm[tick])
            above.add_patch(Polygon(turned, closed=True, fill=False, edgecolor=BASE, linestyle=style, label=name))
        segments = np.stack([xyz_mm[:-1, :2], xyz_mm[1:, :2]], axis=1)
        line = LineCollection(segments.tolist(), cmap="viridis", array=xyz_mm[1:, 2], linewidth=2)
        above.add_collection(line)
        figure.colorbar(line, ax=above, label="height over the seat [mm]", shrink=0.8)
        reach = 1.15 * max(float(np.abs(xyz_mm[:, :2]).max()), float(np.abs(corners).max())) + gap
        above.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x [mm]", ylabel="y [mm]")
        above.legend(loc="lower left", fontsize=8)
        side.plot(np.hypot(xyz_mm[:, 0], xyz_mm[:, 1]), xyz_mm[:, 2], color=REFINED)
        side.plot(*(_last(np.hypot(xyz_mm[:, 0], xyz_mm[:, 1])), _last(xyz_mm[:, 2])), "o", color=BASE)
        side.axhline(1e3 * task.rim_height_m, color=INK, linewidth=1)
        side.axhline(0.0, color=FAINT, linewidth=1)
        side.text(0.99, 1e3 * task.rim_height_m, "rim ", ha="right", va="bottom", transform=side.get_yaxis_transform())
        side.text(0.99, 0.0, "seat ", ha="right", va="bottom", transform=side.get_yaxis_transform())
        side.set(xlabel="distance from the axis [mm]", ylabel="height over the seat [mm]", xlim=(0, None))
        return png(figure)


def poses(episode: Episode) -> bytes:
    """Draw height, offsets and angles over time."""
    xyz_mm, rim_mm = 1e3 * episode.relative.pos_m, 1e3 * episode.bundle.task.rim_height_m
    with styled():
        figure = new_figure(4.6)
        height, angle = figure.subplots(2, 1, sharex=True)
        headline(figure, "Where the plug was")
        for column, name in enumerate(("x", "y", "height over the seat")):
            height.plot(episode.time_s, xyz_mm[:, column], label=name, color=_COLOURS[column])
        height.axhline(rim_mm, color=INK, linewidth=1, linestyle=":", label="rim")
        height.set_ylabel("[mm]")
        angle.plot(episode.time_s, np.degrees(episode.tilt_rad), label="tilt", color=_COLOURS[0])
        angle.plot(episode.time_s, np.degrees(episode.turn_rad), label="turn", color=_COLOURS[1])
        angle.set(ylabel="[deg]", xlabel="time since the first policy step [s]")
        for axes in (height, angle):
            _held(axes, episode)
            axes.legend(loc="upper right", ncol=4)
        return png(figure)


def wrench(episode: Episode) -> bytes:
    """Draw the measured wrench with the limits at which the guard stops."""
    limits, names = episode.bundle.task.limits.max_wrench, ("x", "y", "z")
    with styled():
        figure = new_figure(4.6)
        force, torque = figure.subplots(2, 1, sharex=True)
        headline(figure, "Measured external wrench, base frame")
        for axes, first, unit in ((force, 0, "[N]"), (torque, 3, "[Nm]")):
            for i, name in enumerate(names):
                axes.plot(episode.time_s, episode.recording.wrench[:, first + i], label=name, color=_COLOURS[i])
            _held(axes, episode)
            stop = min(limits[first : first + 3])
            shown = float(np.abs(episode.recording.wrench[:, first : first + 3]).max())
            if shown > 0.4 * stop:
                for sign in (-1, 1):
                    axes.axhline(sign * stop, color=BASE, linewidth=1, linestyle="--")
            axes.set_ylabel(unit)
            axes.legend(
                loc="upper right", ncol=3, title=f"stop at {', '.join(f'{v:g}' for v in limits[first : first + 3])}"
            )
        torque.set_xlabel("time since the first policy step [s]")
        return png(figure)


def actions(episode: Episode) -> bytes:
    """Draw the actions, and shade where the guard held or stopped."""
    with styled():
        figure = new_figure(4.6)
        moves, turns = figure.subplots(2, 1, sharex=True)
        headline(figure, "What the policy asked for, in full actions per step")
        for i, name in enumerate(ACTION_NAMES):
            axes = moves if i < 3 else turns
            axes.plot(episode.time_s, episode.recording.action[:, i], label=name, color=_COLOURS[i % 3])
        for axes in (moves, turns):
            _held(axes, episode)
            axes.set_ylim(-1.1, 1.1)
            axes.legend(loc="upper right", ncol=3)
        turns.set_xlabel("time since the first policy step [s]; shaded: the guard held or stopped")
        return png(figure)


def _held(axes: Axes, episode: Episode) -> None:
    """Shade the ticks at which the guard did not let the policy through."""
    time_s, level = episode.time_s, episode.recording.level
    period_s = 1.0 / episode.bundle.task.control.policy_rate_hz
    for tick in np.flatnonzero(level > 0):
        axes.axvspan(time_s[tick], time_s[tick] + period_s, color=BASE, alpha=0.2, linewidth=0)


def _outline(corners_mm: Array, rotation: Array, at_mm: Array) -> Array:
    flat = np.c_[corners_mm, np.zeros(len(corners_mm))]
    return np.asarray((flat @ rotation.T)[:, :2] + at_mm[:2])


def _grown(corners_mm: Array, gap_mm: float) -> Array:
    """Move the corners of a convex outline outwards so that each edge moves by the gap."""
    along = np.roll(corners_mm, -1, axis=0) - corners_mm
    unit = along / np.linalg.norm(along, axis=1, keepdims=True)
    x, y = corners_mm.T
    area = float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
    outward = math.copysign(1.0, area) * np.column_stack([unit[:, 1], -unit[:, 0]])
    before = np.roll(outward, 1, axis=0)
    return np.asarray(corners_mm + gap_mm * (before + outward) / (1.0 + (before * outward).sum(axis=1, keepdims=True)))


def _last(values: Array) -> list[float]:
    return [float(values[-1])]
