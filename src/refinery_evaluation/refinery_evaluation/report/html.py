"""The demo's page: ``templates/report.html.j2`` filled with the results; one file that needs nothing else."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from refinery.initial_state import GRASP_NAMES, POSE_NAMES
from refinery.storage import write_whole
from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.formatting import (
    counts,
    duration,
    enumerate_names,
    free_dimensions,
    interval,
    percent,
    thousands,
)
from refinery_evaluation.report.narrative import (
    headline,
    refining_detail,
    structure,
    what_trials_show,
    why_these_dimensions,
)
from refinery_evaluation.report.plot_conditions import conditions_of
from refinery_evaluation.report.plots import conditions, learning_curve, marginals, reliability, success_map
from refinery_evaluation.report.trials_table import TRIALS_HEADER, trials_rows, trials_summary

Row = tuple[str, tuple[str, ...]]
"""CSS class of a table's row, and its cells."""


def write_page(path: Path, data: DemoData) -> Path:
    """Write the page; an old one stays whole until the new one is.

    Args:
        path: File to write, for example ``demo/report.html``; its folder is created.
        data: The results.

    Returns:
        ``path``.
    """
    write_whole(path, page(data))
    return path


def page(data: DemoData) -> str:
    """Return the page as HTML; all text from the results is escaped."""
    date = str(data.provenance.get("date", "")).replace("T", " ").replace("+00:00", " UTC")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            title=f"Refinery report: {data.task.name}",
            subtitle=" · ".join(filter(None, [data.task.description, f"seed {data.seed}", date])),
            headline=headline(data),
            tiles=conditions_of(data),
            trials_show=what_trials_show(data),
            map_png=success_map(data),
            map_dimensions=why_these_dimensions(data),
            refining_detail=refining_detail(data),
            conditions_png=conditions(data),
            conditions_text=_conditions_text(data),
            calibration_png=reliability(data),
            marginals_png=marginals(data),
            free_names=enumerate_names([d.name for d in free_dimensions(data.box)]),
            learning_png=learning_curve(data.learning),
            trials_header=TRIALS_HEADER,
            trials_rows=trials_rows(data),
            trials_summary=trials_summary(data),
            stages=_stages(data),
            facts=_facts(data),
            limits=_limits(data),
        )
    )


@cache
def environment() -> Environment:
    """Return what all pages are rendered with."""
    found = Environment(
        loader=PackageLoader("refinery_evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"percent": percent, "counts": counts, "interval": interval, "base64": _base64}
    return found


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _conditions_text(data: DemoData) -> str:
    """Return the four success rates in words, for readers who do not see the plot."""
    shown = [
        f"{which} ({where}): " + ("no trials" if rate is None else f"{counts(rate)}, {percent(rate)}, {interval(rate)}")
        for _, where, which, rate in conditions_of(data)
    ]
    return "; ".join(shown) + "."


def _stages(data: DemoData) -> list[Row]:
    shown = [("", (name, duration(seconds))) for name, seconds in data.seconds.items()]
    return [*shown, ("", ("total", duration(data.total_seconds)))]


def _facts(data: DemoData) -> list[Row]:
    """Return where the results come from."""
    from_run: dict[str, Any] = data.provenance
    revision = str(from_run.get("git_revision", "unknown"))
    changed = " (with uncommitted changes)" if from_run.get("dirty") else ""
    versions = from_run.get("versions") or {}
    facts = (
        ("Task", f"{data.task.name}, contents {data.task.hash()[:12]}"),
        ("Seed", str(data.seed)),
        ("Environment steps", f"{thousands(data.env_steps)} (fine-tuning, and evaluation for the success models)"),
        ("Test episodes", f"{thousands(data.base.n)} base, {thousands(data.refined.n)} refined"),
        ("Revision", revision + changed),
        ("Command", str(from_run.get("command", "unknown"))),
        ("Date", str(from_run.get("date", "unknown"))),
        ("Machine", str(from_run.get("machine", "unknown"))),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown"),
    )
    return [("", fact) for fact in facts]


def _limits(data: DemoData) -> list[str]:
    """Return what the figures do not cover, one sentence each."""
    box, success = data.box, data.task.success
    dims = free_dimensions(box)
    ranges = [
        f"{d.name} {box.low[d.index] * d.factor:.3g} to {box.high[d.index] * d.factor:.3g} {d.unit}" for d in dims
    ]
    grasped = GRASP_NAMES if set(GRASP_NAMES) & set(box.free_names) else ()
    fixed = [name for name in (*POSE_NAMES, *grasped) if name not in box.free_names]
    fixed += [] if grasped else ["the grasp"]
    held = f"; {enumerate_names(fixed)} {'is' if len(fixed) == 1 else 'are'} fixed" if fixed else ""
    return [
        "Simulation only: nothing on this page has run on hardware. Arm, contact and camera error are models, and the "
        "twin behind the nodes is the same model as in training, so its agreement says nothing about a real robot.",
        f"One task and one training seed ({data.seed}): the intervals cover the draw of test episodes, not what "
        "another seed of the training would have given.",
        f"The initial state varies in {enumerate_names([d.name for d in dims])} ({', '.join(ranges)}){held}.",
        *structure(data),
        f"Success means strict success: after the last step the tip is within {1e3 * success.depth_tolerance_m:g} mm "
        f"of the bottom and {1e3 * success.lateral_tolerance_m:g} mm of the axis, turned by less than "
        f"{np.degrees(success.angle_tolerance_rad):.0f} degrees.",
    ]
