"""The tables of the study in Markdown, from the contents of ``study.json``; conclusions are in docs/."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from experiments.study.summary import CONDITIONS, Json
from refinery.statistics import Rate
from refinery_evaluation.report.formatting import p_value, thousands

NAMES = {
    "base": "base",
    "clipped": "base, clipped",
    "refined": "refined",
    "started": "chosen starts",
    "retried": "and one retry",
}
"""Headings of the conditions."""


def page(study: Json, folder: str) -> str:
    """Write the tables and figures.

    Args:
        study: Contents of ``study.json``.
        folder: Name of the folder of the plots, beside the page.

    Returns:
        Markdown.
    """
    parts = [
        f"# The study in tables\n\nWritten by `{study['extent']['command']}`; edits are lost. Figures in `study.json`.",
        "## Conditions",
        _conditions(study),
        f"![Strict success of every condition]({folder}/conditions.png)",
        "## Every training",
        _trainings(study),
        f"![Validated success while training]({folder}/learning.png)",
        *(["## Sources of training starts", _arms(study)] if any(study["arms"].values()) else []),
        "## Extent",
        _extent(study["extent"]),
    ]
    return "\n\n".join(parts) + "\n"


def _conditions(study: Json) -> str:
    rows = [
        [
            f"`{name}`" + (" (kept out)" if task["kept_out"] else ""),
            str(len(task["seeds"])),
            *(_cell(task[condition]) for condition in CONDITIONS),
        ]
        for name, task in study["tasks"].items()
    ]
    mean = study["mean"]
    if mean:
        cells = [_mean_cell(mean[condition]) for condition in CONDITIONS]
        rows.append([f"**mean of the {len(mean['tasks'])} with a base under 90 %**", str(len(mean["seeds"])), *cells])
    return (
        f"{_table(['task', 'seeds', *(NAMES[c] for c in CONDITIONS)], rows)}\n\n"
        "Strict success in %, training seeds pooled, half the Wilson interval over test episodes, and k/n. Mean: over "
        "tasks, of the seeds that all of them have, with its 95 % t-interval over tasks. Clipped: observations clipped "
        "inside the network, nothing trained. Chosen starts: by the bundle's rule, picked on validation episodes. "
        "Retry: where that fails, a second attempt from another chosen start, with the same part, grasp, socket and "
        "error of the estimate. Kept out: no setting and no threshold was chosen on these tasks."
    )


def _trainings(study: Json) -> str:
    rows = [
        [
            f"`{name}`",
            " ".join(f"{rate:.1f}" for rate in task["by_seed"]["refined"]),
            " ".join(f"{rate:.1f}" for rate in task["by_seed"]["started"]),
            f"{task['spread_points']:.1f}",
            str(task["below_base"]),
            p_value(task["paired_p_value"]),
        ]
        for name, task in study["tasks"].items()
    ]
    return (
        f"{_table(['task', 'refined', 'chosen starts', 'spread', 'below base', 'paired test'], rows)}\n\n"
        "Success in % by training seed, from 0 on. Spread: largest minus smallest refined, points. Below "
        "base: trainings that ended below the base or the clipped base. Paired test: exact McNemar of refined "
        "against the clipped base over all episodes."
    )


def _arms(study: Json) -> str:
    rows = []
    for arm, tasks in study["arms"].items():
        for task, entry in tasks.items():
            found = entry["difference"]
            interval = found["interval"]
            shown = f" ({interval[0]:+.1f} to {interval[1]:+.1f})" if interval else " (one seed)"
            rates = [" ".join(f"{rate:.1f}" for rate in entry[name]) for name in ("refined", arm)]
            rows.append([f"`{task}`", arm, *rates, f"{found['points']:+.1f}{shown}"])
    return (
        f"{_table(['task', 'source', 'default', 'this source', 'difference'], rows)}\n\n"
        "Success in % by training seed at equal environment steps; difference in points with its 95 % t-interval over "
        "seeds, paired by seed."
    )


def _extent(extent: Json) -> str:
    rows = {
        "runs": f"{extent['runs']} of {extent['wanted']}",
        "machines": "; ".join(extent["machine"]),
        "revisions": ", ".join(f"`{revision[:8]}`" for revision in extent["git_revision"]),
        "dates": ", ".join(sorted({date[:10] for date in extent["date"]})),
        "runs with uncommitted changes": str(extent["with_uncommitted_changes"]),
    }
    return _table(["", ""], [[name, value] for name, value in rows.items()])


def _cell(counts: dict[str, Any]) -> str:
    found = Rate(k=counts["k"], n=counts["n"])
    low, high = found.interval
    return f"{100 * found.value:.1f} ±{50 * (high - low):.1f}<br>{thousands(found.k)}/{thousands(found.n)}"


def _mean_cell(entry: Json) -> str:
    interval = entry["interval_over_tasks"]
    shown = f"<br>({interval[0]:.1f} to {min(interval[1], 100):.1f})" if interval else ""
    return f"**{entry['percent']:.1f}**{shown}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(row) for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {line} |" for line in lines)
