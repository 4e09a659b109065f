"""A page that shows an insertion over time: pose, target, wrench, action, guard; one file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from refinery.storage import write_whole
from refinery.tick.tick_result import TickResult
from refinery_evaluation.replaying.episode import Episode
from refinery_evaluation.report.style import BASE, FAINT, INK, REFINED, SAMPLED, new_figure, png, styled
from refinery_msgs.msg import PolicyTick

_AXES = (("x", REFINED, "-"), ("y", BASE, "--"), ("z", SAMPLED, "-."))
"""Colours that colour-blind readers can tell apart, and line styles for print."""
_LEVELS = {1: ("#e0a800", "hold"), 2: ("#99380f", "stop")}


def write_timeline(path: Path, title: str, shown: Sequence[tuple[str, Episode, list[TickResult]]]) -> None:
    """Write the page.

    Args:
        path: File to write.
        title: Its title.
        shown: Name, steps, and what another policy would have commanded (or nothing), of each insertion.
    """
    environment = Environment(
        loader=PackageLoader("refinery_evaluation.replaying"), autoescape=True, undefined=StrictUndefined
    )
    rows = [
        (
            name,
            base64.b64encode(picture(episode, others)).decode("ascii"),
            [tick for tick in episode.ticks if tick.reason.value][:1],
            episode,
        )
        for name, episode, others in shown
    ]
    write_whole(path, environment.get_template("timeline.html.j2").render(title=title, rows=rows))


def picture(episode: Episode, others: list[TickResult]) -> bytes:
    """Draw the insertion; returns a PNG.

    Args:
        episode: The insertion.
        others: What another policy would have commanded, or nothing.
    """
    ticks = episode.ticks
    time_s = np.array([tick.now_s for tick in ticks]) - ticks[0].now_s
    socket = np.mean([tick.estimate_pos_m for tick in ticks], axis=0)
    with styled():
        figure = new_figure(9.0)
        pose, force, torque, action = figure.subplots(4, 1, sharex=True, height_ratios=(3, 2, 2, 2))
        measured = 1e3 * (np.array([tick.measured_pos_m for tick in ticks]) - socket)
        target = 1e3 * (np.array([tick.target[:3] for tick in ticks]) - socket)
        wrench = np.array([tick.wrench for tick in ticks])
        actions = np.array([tick.action if tick.acted else [np.nan] * 6 for tick in ticks])
        for index, (axis, colour, style) in enumerate(_AXES):
            pose.plot(time_s, measured[:, index], style, color=colour, label=f"tool {axis}")
            pose.plot(time_s, target[:, index], style, color=colour, linewidth=0.8, alpha=0.55, label=f"target {axis}")
            force.plot(time_s, wrench[:, index], style, color=colour, label=axis)
            torque.plot(time_s, wrench[:, 3 + index], style, color=colour, label=axis)
            action.plot(time_s, actions[:, index], style, color=colour, label=axis)
            action.plot(time_s, actions[:, 3 + index], style, color=colour, alpha=0.5, label=f"turn {axis}")
        if others:
            there = 1e3 * (np.array([other.target.xyz_m for other in others]) - socket)
            for index in range(3):
                label = "other policy's target" if index == 0 else None
                pose.plot(time_s[: len(there)], there[:, index], ":", color=INK, linewidth=1.2, label=label)
        for axes, label in (
            (pose, "from the socket, base frame [mm]"),
            (force, "force [N]"),
            (torque, "torque [Nm]"),
            (action, "action [1]"),
        ):
            axes.set_ylabel(label)
            axes.legend(ncols=7 if axes is pose else 6, loc="upper right", fontsize=7.5)
            for begin, end, level in _spans(ticks, time_s):
                colour, name = _LEVELS[level]
                axes.axvspan(begin, end, color=colour, alpha=0.25)
                if axes is pose:
                    axes.text(begin, axes.get_ylim()[1], f" {name}", va="top", fontsize=8, color=INK)
        for step in episode.missing:
            pose.axvline(float(np.interp(step, [tick.step for tick in ticks], time_s)), color=FAINT, linewidth=0.6)
        action.set_xlabel("since the first policy step [s]")
        return png(figure)


def _spans(ticks: Sequence[PolicyTick], time_s: NDArray[np.float64]) -> list[tuple[float, float, int]]:
    """Return begin, end and level of what the guard held or stopped."""
    period = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.1
    spans: list[tuple[float, float, int]] = []
    for tick, begin in zip(ticks, time_s.tolist(), strict=True):
        if not tick.level:
            continue
        if spans and spans[-1][2] == tick.level and begin - spans[-1][1] < 0.5 * period:
            spans[-1] = (spans[-1][0], begin + period, tick.level)
        else:
            spans.append((begin, begin + period, tick.level))
    return spans
