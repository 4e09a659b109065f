"""The tables of single trainings: guided against uniform fine-tuning, and the success of every training seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.study.markdown import difference, ratio, table
from experiments.study.plan import StudySpec
from experiments.study.summary import Json, rate
from refinery_evaluation.report.formatting import p_value, thousands

_RATIOS = ("steps_ratio", "steps_ratio_to_90_percent_of_gain", "reverse_steps_ratio")
_ARMS = ("uniform", "resampled", "oracle", "refined")


def guided_over_uniform(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    """Tabulate guided against uniform fine-tuning, the tasks with more seeds first."""
    entries = study["guided_over_uniform"] | study["guided_over_uniform_few_seeds"]
    rows = []
    for task in sorted(tasks, key=lambda name: name not in spec.versus_tasks):
        wanted = spec.versus_seeds if task in spec.versus_tasks else spec.seeds
        if task not in entries:
            rows.append([f"`{task}`", f"not run yet (0 of {wanted} seeds)", *[""] * 8])
            continue
        entry = entries[task]
        collapsed = entry.get("collapsed")
        rows.append(
            [
                f"`{task}`",
                str(entry["seeds"]) if entry["seeds"] == wanted else f"{entry['seeds']} of {wanted}",
                f"{100 * entry['bad_region_share']:.1f} %" if "bad_region_share" in entry else "",
                difference(entry),
                p_value(entry["paired_p_value"]),
                difference(entry["area"]) if "area" in entry else "",
                *(ratio(entry, name) if name in entry else "" for name in _RATIOS),
                f"{collapsed['uniform']} / {collapsed['refined']}" if collapsed else "",
            ]
        )
    header = ["task", "seeds", "bad region", "guided - uniform", "paired test", "area", "steps ratio"]
    return (
        f"{table([*header, 'to 90 % of the gain', 'reversed', 'below base'], rows)}\n\n"
        "Differences in points: mean over seeds, paired by seed, and its 95 % t-interval over seeds (bold: excludes "
        "0). Paired test: exact McNemar over all episodes of all seeds; it asks whether these very policies differ, "
        "not whether the next trainings would. Area: difference of the mean success along the learning curve. Steps "
        "ratio: environment steps to uniform's last success on the mean guided curve, over uniform's own, with a 95 "
        "% bootstrap interval over seeds; then to nine tenths of uniform's gain; reversed: uniform to guided's last "
        "success. Below base: uniform / guided runs that ended below the base policy. Bad region: share of the box "
        "where the base's predicted success is under one half."
    )


def every_training(study: Json, spec: StudySpec) -> str:
    """Tabulate the final success of every training; empty while there is none."""
    rows = []
    for task, summary in study["tasks"].items():
        by_arm = [_by_seed(summary["per_seed"].get(name, {})) for name in _ARMS]
        if not any(by_arm):
            continue
        minus = summary["refined_minus"]
        others = [difference(minus[other]) if other in minus else "" for other in ("base", "resampled")]
        oracle = difference(summary["oracle_minus_uniform"]) if "oracle_minus_uniform" in summary else ""
        rows.append([f"`{task}`", *by_arm, *others, oracle])
    if not rows:
        return ""
    header = ["task", "uniform", "resampled", "oracle", "guided", "guided - base", "guided - resampled"]
    return (
        f"{table([*header, 'oracle - uniform'], rows)}\n\n"
        "Final success of every training in % by seed, from 0 on; differences as above. Oracle: starts where a model "
        f"of {thousands(spec.structure_episodes)} more episodes of the base, not counted in any arm's steps, predicts "
        f"under {100 * spec.oracle_below:.0f} %: about the most that choosing starts could give."
    )


def _by_seed(rates: Mapping[str, Any]) -> str:
    seeds = range(max((int(seed) + 1 for seed in rates), default=0))
    return " ".join(f"{100 * rate(rates[str(s)]).value:.1f}" if str(s) in rates else "(not run)" for s in seeds)
