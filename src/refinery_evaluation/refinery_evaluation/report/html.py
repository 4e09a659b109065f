"""The demo's page: one file that needs nothing else, to be read from the top."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from refinery.initial_state import GRASP_NAMES, POSE_NAMES
from refinery.storage import write_whole
from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.elements import Html, bullets, element, figure, join, paragraphs, section, table, wrap
from refinery_evaluation.report.page_style import PAGE_STYLE
from refinery_evaluation.report.plot_conditions import conditions_of
from refinery_evaluation.report.plots import conditions, learning_curve, marginals, reliability, success_map
from refinery_evaluation.report.story import (
    headline,
    refining_detail,
    structure,
    what_trials_show,
    why_these_dimensions,
)
from refinery_evaluation.report.trials_table import trials_part
from refinery_evaluation.report.wording import (
    counts,
    duration,
    enumerate_names,
    free_dimensions,
    interval,
    percent,
    thousands,
)


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


def page(data: DemoData) -> Html:
    """Return the page."""
    title = f"Refinery demo: {data.task.name}"
    date = str(data.provenance.get("date", "")).replace("T", " ").replace("+00:00", " UTC")
    body = join(
        (
            element("h1", title),
            element("p", " · ".join(filter(None, [data.task.description, f"seed {data.seed}", date])), "sub"),
            element("p", headline(data), "headline"),
            _tiles(data),
            section("What these trials can and cannot show", wrap("div", bullets(what_trials_show(data)), "note")),
            section("Where it succeeds, before and after", *_map_part(data)),
            section("The four conditions", *_conditions_part(data)),
            section("Does the prediction hold?", _calibration_part(data)),
            section("Along each dimension", _marginals_part(data)),
            section("Learning", _learning_part(data)),
            section("The trials", *trials_part(data)),
            section("The cell", _cell_part(data)),
            section("What was done", *_done_part(data)),
            section("Limits", bullets(_limits(data))),
        )
    )
    head = join(
        (
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", title),
            wrap("style", Html(PAGE_STYLE)),
        )
    )
    return Html(
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n'
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _tiles(data: DemoData) -> Html:
    """Return the four rates in large print."""
    tiles = []
    for css, (where, which, rate) in zip(("base", "refined", "uniform", "sampled"), conditions_of(data), strict=True):
        shown = "none" if rate is None else percent(rate)
        below = ("no trials",) if rate is None else (f"{counts(rate)} {where}", f"95\u00a0%: {interval(rate)}")
        lines = (element("span", which), element("b", shown), *(element("span", line) for line in below))
        tiles.append(wrap("div", join(lines), f"tile {css}"))
    return wrap("div", join(tiles), "tiles")


def _map_part(data: DemoData) -> tuple[Html, ...]:
    png = success_map(data)
    if png is None:
        return (element("p", "Only one dimension of the initial state is free: see the plot along it below."),)
    why = why_these_dimensions(data)
    caption = (
        "Colour: success predicted by the models, averaged over the other free dimensions. Dots: test episodes in "
        "simulation, which the models have not seen. Ellipses: the mixture fitted to the refined policy's successes, 1 "
        "and 2 standard deviations of each component, seen along these two dimensions. The title counts test episodes "
        "on the fifth of the starts to which the base policy's model gives the least chance, and on the rest."
    )
    alt = (
        f"Two maps of success over two dimensions of the initial state. Base policy {percent(data.base)}, "
        f"refined policy {percent(data.refined)}. {why}"
    )
    return element("p", why), figure(png, alt, caption)


def _conditions_part(data: DemoData) -> tuple[Html, ...]:
    told = [
        f"{which} ({where}): " + ("no trials" if rate is None else f"{counts(rate)}, {percent(rate)}, {interval(rate)}")
        for where, which, rate in conditions_of(data)
    ]
    caption = "A bar's black line is what the number of trials leaves open: the 95 % interval of the true success rate."
    plot = figure(conditions(data), "Bars of four success rates with intervals. " + "; ".join(told) + ".", caption)
    return paragraphs([refining_detail(data)]), plot


def _calibration_part(data: DemoData) -> Html:
    caption = (
        "Test episodes in eight groups of equal size, sorted by predicted success; the models were fitted on other "
        "episodes. On the dashed line, what was predicted is what happened; above it, the prediction was too low. Of "
        "16 intervals about one may miss the line even if the prediction is perfect. Lines: 95 % intervals (Wilson)."
    )
    alt = "Observed against predicted success for the base policy and the refined policy, with 95 % intervals."
    return figure(reliability(data), alt, caption)


def _marginals_part(data: DemoData) -> Html:
    names = enumerate_names([d.name for d in free_dimensions(data.box)])
    caption = (
        "The same test episodes in eight bins along each free dimension, whatever the others are; 95 % intervals. "
        "Best and worst of eight bins differ somewhat by chance alone: compare with the length of the intervals."
    )
    return figure(marginals(data), f"Success before and after refining along {names}.", caption)


def _learning_part(data: DemoData) -> Html:
    png = learning_curve(data.learning)
    if png is None:
        return element(
            "p", "There is no log of the fine-tuning (it was taken from an earlier run, or no episode ended)."
        )
    caption = (
        "Success while training, with exploration noise and on starts chosen where the policy fails: not to be "
        "compared with the test figures. The title takes the means of the first and of the last 15 % of the points."
    )
    return figure(png, "Success during fine-tuning over environment steps.", caption)


def _cell_part(data: DemoData) -> Html:
    if data.cell_picture_png is None:
        return element("p", data.cell_picture_note or "There is no picture of the cell.")
    note = data.cell_picture_note or "The simulated cell."
    return figure(data.cell_picture_png, f"Rendered picture of the simulated cell. {note}", note)


def _done_part(data: DemoData) -> tuple[Html, ...]:
    from_run = data.provenance
    revision = str(from_run.get("git_revision", "unknown"))
    changed = " (with uncommitted changes)" if from_run.get("dirty") else ""
    versions = from_run.get("versions") or {}
    facts = [
        ("Task", f"{data.task.name}, contents {data.task.hash()[:12]}"),
        ("Seed", str(data.seed)),
        ("Environment steps", f"{thousands(data.env_steps)} (fine-tuning, and evaluation for the success models)"),
        ("Test episodes", f"{thousands(data.base.n)} base, {thousands(data.refined.n)} refined"),
        ("Revision", revision + changed),
        ("Command", str(from_run.get("command", "unknown"))),
        ("Date", str(from_run.get("date", "unknown"))),
        ("Machine", str(from_run.get("machine", "unknown"))),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown"),
    ]
    stages = [("", (name, duration(seconds))) for name, seconds in data.seconds.items()]
    stages.append(("", ("total", duration(data.total_seconds))))
    return table(("Stage", "Time"), stages), table(("What", "Value"), [("", fact) for fact in facts])


def _limits(data: DemoData) -> list[str]:
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
