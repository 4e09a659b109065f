"""A report on one screen: at most 24 lines of 100 columns, plain ASCII where the texts given are."""

from __future__ import annotations

import textwrap

from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.formatting import SPACE, counts, duration, interval, percent
from refinery_evaluation.report.narrative import refining_detail, what_trials_show
from refinery_evaluation.report.plot_conditions import conditions_of
from refinery_evaluation.report.trials_table import failures_first

LINES = 24
"""Most lines."""
COLUMNS = 100
"""Longest line."""
_BAR = 18
_FAILURES = 4


def one_screen(data: DemoData) -> str:
    """Return the results for a terminal."""
    top = [_fit(f"Refinery report: {data.task.name}, seed {data.seed}, {duration(data.total_seconds)}"), ""]
    rates = [f"{'strict success':<45}{'rate':>7}  {'counts':>9}   95 % interval"]
    for _, where, which, rate in conditions_of(data):
        name = f"{which} ({where})"
        if rate is None:
            rates.append(f"  {name:<43}  no trials")
            continue
        bar = "#" * round(_BAR * rate.value)
        rates.append(f"  {name:<43}{percent(rate):>7}  {counts(rate):>9}   {interval(rate):<15} {bar:.<{_BAR}}")
    end = ["", "Simulation only; nothing has run on hardware."]
    failures = _failures(data)
    room = LINES - len(top) - len(rates) - len(failures) - len(end)
    story = ["", *_wrapped(refining_detail(data), room - 1)]
    for sentence in what_trials_show(data):
        more = _wrapped(sentence, LINES)
        if len(story) + len(more) > room:
            break
        story += more
    return "\n".join([*top, *rates, *story, *failures, *end]).replace(SPACE, " ")


def _failures(data: DemoData) -> list[str]:
    failed = [t for t in failures_first(data.trials) if not t.strict]
    if not failed:
        return []
    lines = ["", f"Failed trials ({len(failed)} of {len(data.trials)}):"]
    shown = failed if len(failed) <= _FAILURES else failed[: _FAILURES - 1]
    for trial in shown:
        why = "not placed" if not trial.placed else trial.outcome
        lines.append(_fit(f"  #{trial.index} {trial.starts}: {why} {trial.reason}".rstrip()))
    if len(shown) < len(failed):
        lines.append(f"  and {len(failed) - len(shown)} more, in the report")
    return lines


def _wrapped(sentence: str, most: int) -> list[str]:
    return textwrap.wrap(sentence, COLUMNS, max_lines=max(most, 1), placeholder=" ...")


def _fit(line: str) -> str:
    """Return one line: line breaks and what does not fit are dropped."""
    flat = " ".join(line.split()) if not line.startswith("  ") else "  " + " ".join(line.split())
    return flat if len(flat) <= COLUMNS else flat[: COLUMNS - 4] + " ..."
