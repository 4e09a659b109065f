"""What refining was meant to reach, beside what it reached."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.study.markdown import code, table
from experiments.study.plan import StudySpec
from experiments.study.summary import Json
from refinery_evaluation.report.wording import number

STEPS_RATIO = 2 / 3
"""Guided is to reach uniform's success in at most this share of its steps."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A figure over the tasks of the mean, set before the study."""

    what: str
    """In words."""
    condition: str
    """Key of the mean."""
    least: float
    """Least value, [%] or points."""
    minus: str = ""
    """Key of the mean that is taken off; empty: nothing."""


AIMS = (
    Aim(what="gain of refining, points", condition="refined", minus="base", least=11.0),
    Aim(what="refined, %", condition="refined", least=91.5),
    Aim(what="refined with starts of the paper's mixture, %", condition="refined_mixture", least=96.4),
    Aim(what="refined with starts of the rule that is shipped, %", condition="refined_best_rule", least=96.4),
)
"""Of the paper: 80.5 to 91.51 %, up to 96.35 % with its mixture."""


def aims(study: Json, spec: StudySpec) -> str:
    """A table of what was aimed for; empty while nothing can be compared."""
    mean, rows = study["mean"], []
    for aim in AIMS:
        value, less = mean.get(aim.condition), mean.get(aim.minus) if aim.minus else 0.0
        if value is None or less is None:
            continue
        got = value - less
        rows.append([aim.what, f"at least {number(aim.least, 1)}", number(got, 1), _said(got >= aim.least)])
    entries = {task: e for task, e in study["guided_over_uniform"].items() if task in spec.versus_tasks}
    if entries:
        won = [task for task, entry in entries.items() if _sooner(entry)]
        wanted = "fewer steps (two thirds) or more success, its interval without 0"
        rows.append(["guided against uniform where the bad region is rare", wanted, code(won), _said(len(won) > 0)])
    if not rows:
        return ""
    note = "Means over the tasks whose base is under 90 %; aims as set before the study, by the paper's figures."
    return f"{table(['aim', 'wanted', 'measured', ''], rows)}\n\n{note} `{study['command']}`."


def _sooner(entry: Json) -> bool:
    """Whether guided wins, at the end or in steps, with an interval that says so."""
    if entry["verdict"] == "better":
        return True
    ratio, interval = entry.get("steps_ratio"), entry.get("steps_ratio_interval", [None, None])
    return ratio is not None and ratio <= STEPS_RATIO and interval[1] is not None and interval[1] < 1.0


def _said(reached: bool) -> str:
    return "reached" if reached else "**missed**"
