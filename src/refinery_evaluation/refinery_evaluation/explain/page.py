"""The page of one recorded insertion: one file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from refinery.initial_state import THETA_NAMES, theta_of
from refinery.theta_units import shown_unit
from refinery.tick.diagnosis import Place
from refinery.tick.start_check import StartTolerance
from refinery_evaluation.explain import plots
from refinery_evaluation.explain.episode import Episode
from refinery_evaluation.report.html import environment

_PLACES = {
    Place.SEATED: "seated",
    Place.PARTLY_IN: "partly in",
    Place.ON_RIM: "on the rim",
    Place.ABOVE: "above the rim",
    Place.UNKNOWN: "unknown",
}


def page(episode: Episode, source: Path) -> str:
    """Return the page as HTML.

    Args:
        episode: The recorded insertion.
        source: File it came from, named on the page.
    """
    task, found, recording = episode.bundle.task, episode.diagnosis, episode.recording
    held = int((recording.level > 0).sum())
    theta = theta_of(episode.socket, episode.plug[:1], recording.grasp[None])[0]
    trained = task.initial_state.trained
    force = np.abs(recording.wrench).max(axis=0)
    facts = [
        ("Place", _PLACES[found.place]),
        ("Depth", f"{1e3 * found.depth_m:.1f} of {1e3 * task.socket.depth_m:.1f} mm"),
        ("Off the axis", f"{1e3 * found.x_m:+.2f} mm in x, {1e3 * found.y_m:+.2f} mm in y"),
        ("Tilted, turned", f"{np.degrees(found.tilt_rad):.1f} deg, {np.degrees(found.turn_rad):+.1f} deg"),
        ("Largest force", f"{force[0]:.1f}, {force[1]:.1f}, {force[2]:.1f} N"),
        ("Largest torque", f"{force[3]:.2f}, {force[4]:.2f}, {force[5]:.2f} Nm"),
        ("Steps", f"{len(episode.time_s)} of {task.control.episode_steps}, the guard held or stopped {held}"),
        ("Bundle", f"{episode.bundle.name}, task {task.name} ({task.hash()[:12]})"),
        ("Recording", str(source)),
    ]
    starts, tolerance = [], StartTolerance.for_task(task)
    for i, name in enumerate(THETA_NAMES):
        factor, unit = shown_unit(name)
        if theta[i] == 0 and trained.low[i] == trained.high[i] == 0:
            continue
        outside = name in found.outside_trained
        bounds = f"{factor * trained.low[i]:.1f} to {factor * trained.high[i]:.1f} {unit}"
        shown = (name, f"{factor * theta[i]:.2f} {unit}", bounds, "outside" if outside else "")
        starts.append(("failed" if outside else "", shown))
    return (
        environment()
        .get_template("explain.html.j2")
        .render(
            title=f"{task.name}: {_PLACES[found.place]}",
            subtitle=task.description,
            message=f"{found.message[0].upper()}{found.message[1:]}.",
            seated=episode.seated,
            facts=[("", fact) for fact in facts],
            starts=starts,
            tolerance=f"{1e3 * tolerance.position_m:.1f} mm, {np.degrees(tolerance.angle_rad):.1f} deg",
            path_png=plots.path(episode),
            poses_png=plots.poses(episode),
            wrench_png=plots.wrench(episode),
            actions_png=plots.actions(episode),
        )
    )
