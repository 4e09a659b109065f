"""The page of an evaluation: ``templates/evaluation.html.j2`` filled with its figures; one file beside its bags."""

from __future__ import annotations

from typing import Any

from refinery.statistics import Rate
from refinery.task import Task
from refinery_evaluation.report.formatting import counts, duration, interval, number, p_value, percent
from refinery_evaluation.report.html import Row, environment
from refinery_evaluation.report.plot_trials import rates_plot, trials_map
from refinery_evaluation.trials.design import Key
from refinery_evaluation.trials.figures import Compared, Figures, spread
from refinery_evaluation.trials.taxonomy import ABOUT_START

EXACT_FROM = 0.95
"""From this rate on the Clopper-Pearson interval is given beside Wilson's, which is too short there."""


def evaluation_page(figures: Figures, task: Task, key: Key, *, unblinded: str, sittings: list[dict[str, Any]]) -> str:
    """Return the page as HTML.

    Args:
        figures: What the evaluation came to.
        task: Its task.
        key: Its key, shown once the codes are uncovered.
        unblinded: When and by whom they were; empty if they are not.
        sittings: When, by whom and with what trials were run.
    """
    design = figures.design
    return (
        environment()
        .get_template("evaluation.html.j2")
        .render(
            title=f"Evaluation: {design.task}",
            subtitle=f"{len(figures.done)} of {len(design.trials)} trials, {figures.blocks} of {len(design.order)} "
            f"blocks complete; design {design.hash()[:12]}",
            headline=headline(figures),
            blinded=not unblinded,
            rates_png=rates_plot(figures) if figures.rates else None,
            rates=[_rate_row(name, rate, figures) for name, rate in figures.rates.items()],
            compared=[_compared_row(item, figures) for item in figures.compared],
            stopping=design.stopping,
            map_png=trials_map(figures, task.initial_state.deployed),
            effort=[row for name in figures.rates for row in _effort_row(name, figures)],
            failures=_failures(figures),
            otherwise=figures.judged_otherwise(),
            facts=_facts(figures, key, unblinded, sittings),
        )
    )


def headline(figures: Figures) -> str:
    """Say in one sentence what was shown, no more than the design allows."""
    if not figures.compared:
        return "No block is complete yet: there is nothing to compare."
    shown = [sentence for item in figures.compared if (sentence := _decision(item, figures))]
    if shown:
        return " ".join(shown)
    return f"No difference from {figures.control} is shown on {figures.blocks} blocks. That is not equality."


def _decision(item: Compared, figures: Figures) -> str:
    anytime = figures.design.stopping == "anytime"
    decided = item.anytime.decided_at is not None if anytime else item.adjusted_p <= 0.05
    if not decided or (not anytime and figures.blocks < len(figures.design.order)):
        return ""
    better = "more" if item.pairs.difference > 0 else "less"
    when = f" (first shown after {item.anytime.decided_at} blocks)" if anytime else ""
    low, high = item.shown(figures.design.stopping)
    return (
        f"{item.name} succeeds {better} often than {figures.control}: {100 * item.pairs.difference:+.1f} points, "
        f"95 % interval {100 * low:+.1f} to {100 * high:+.1f}{when}."
    )


def _rate_row(name: str, rate: Rate, figures: Figures) -> Row:
    low, high = rate.exact_interval
    exact = f"{100 * low:.1f} to {100 * high:.1f} %" if rate.value >= EXACT_FROM else ""
    return "", (name, counts(rate), percent(rate), interval(rate), exact, str(figures.interrupted.get(name, 0)))


def _compared_row(item: Compared, figures: Figures) -> Row:
    tango, anytime = item.pairs.interval, item.anytime
    return "", (
        f"{item.name} \N{MINUS SIGN} {figures.control}",
        str(item.pairs.n),
        f"{item.pairs.only_second} / {item.pairs.only_first}",
        f"{100 * item.pairs.difference:+.1f} points",
        f"{100 * tango[0]:+.1f} to {100 * tango[1]:+.1f}",
        p_value(item.adjusted_p),
        f"{100 * anytime.interval[0]:+.1f} to {100 * anytime.interval[1]:+.1f}",
        "not yet" if anytime.decided_at is None else f"after {anytime.decided_at} blocks",
    )


def _effort_row(name: str, figures: Figures) -> list[Row]:
    trials = figures.trials(name)
    shown = []
    for values, digits, unit in (
        ([trial.record.max_force_n for trial in trials], 0, "N"),
        ([trial.record.duration_s for trial in trials if trial.success], 1, "s"),
        ([trial.record.place_error_mm for trial in trials if trial.record.placed], 2, "mm"),
    ):
        found = spread(values)
        shown.append(
            "-"
            if found is None
            else f"{number(found[0], digits, unit)} ({found[1]:.{digits}f} to {found[2]:.{digits}f})"
        )
    return [("", (name, *shown, duration(sum(trial.seconds for trial in trials))))]


def _failures(figures: Figures) -> list[tuple[str, bool, list[tuple[str, str, str]]]]:
    """Groups with whether they say something about the start, and of each trial a label, its bag and the reason."""
    return [
        (
            str(group),
            group in ABOUT_START,
            [
                (
                    f"trial {trial.planned.number + 1}, {figures.names[trial.planned.code]}, seed {trial.planned.seed}",
                    trial.bag,
                    trial.record.reason,
                )
                for trial in trials
            ],
        )
        for group, trials in figures.failures().items()
    ]


def _facts(figures: Figures, key: Key, unblinded: str, sittings: list[dict[str, Any]]) -> list[Row]:
    design = figures.design
    rows = [
        ("Task", f"{design.task}, {design.task_hash}"),
        ("Design", f"{design.hash()}, key {design.key_hash}"),
        ("Planned to detect", f"{design.detect_points:+g} points from {design.from_percent:g} %"),
        ("Seeds of the cells", f"{design.trials[0].seed} to {design.trials[-1].seed}"),
        ("Codes", f"uncovered {unblinded}" if unblinded else "covered"),
    ]
    if unblinded:
        rows += [
            (f"{code} is {item.name}", f"{item.bundle}, {item.bundle_hash}, starts {item.mode}")
            for code, item in sorted(key.conditions.items())
        ]
    for number_, sitting in enumerate(sittings, 1):
        versions = ", ".join(f"{name} {version}" for name, version in (sitting.get("versions") or {}).items())
        where = f"{sitting.get('robot')}, {sitting.get('machine')}"
        revision = f"revision {sitting.get('git_revision')}"
        rows.append((f"Sitting {number_}", f"{sitting['began']} by {sitting['who']}: {where}, {revision}, {versions}"))
    return [("", row) for row in rows]
