"""Would uniform fine-tuning have done the same: the page's answer and the figures under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.study.markdown import bullets, code, difference, percent, points, ratio, table
from experiments.study.plan import StudySpec
from experiments.study.summary import Json, rate
from refinery_evaluation.report.wording import number, p_value, thousands


def answer(study: Json) -> list[str]:
    """The answer in a sentence, what it leaves open, and the tasks one by one."""
    judged = {task: e for task, e in study["guided_over_uniform"].items() if e["interval_points"]}
    few = study["guided_over_uniform_few_seeds"]
    if not judged:
        judged, few = {task: e for task, e in few.items() if e["interval_points"]}, {}
    if not judged:
        return ["**Not known yet.** No task has been trained both ways with two seeds or more."]
    better, worse, undecided = (
        [task for task, e in judged.items() if e["verdict"] == verdict]
        for verdict in ("better", "worse", "no difference shown")
    )
    if better and worse:
        said = f"**It depends on the task.** Guided does better on {code(better)}, uniform on {code(worse)}"
    elif better:
        said = f"**{'Not on every task' if undecided else 'No'}.** Guided does better on {code(better)}"
    elif worse:
        said = f"**Yes, and more.** Uniform does better on {code(worse)}"
    else:
        said = f"**Nothing here shows otherwise.** On {code(undecided)} no difference is shown"
    said += f"; on {code(undecided)} no difference is shown." if undecided and (better or worse) else "."
    said += (
        " Both arms start from the same policy, spend the same environment steps and are tested on the same episodes."
    )
    ahead, behind = (
        [task for task, e in judged.items() if e.get("area", {}).get("verdict") == verdict]
        for verdict in ("better", "worse")
    )
    if ahead or behind:
        said += " Over the whole of the training rather than at its end (area under the curve), guided is "
        said += " and ".join(f"{how} on {code(on)}" for how, on in (("ahead", ahead), ("behind", behind)) if on) + "."
    if undecided:
        intervals = {task: judged[task]["interval_points"] for task in undecided}
        low, high = min(intervals, key=lambda t: intervals[t][0]), max(intervals, key=lambda t: intervals[t][1])
        worst, best = (number(max(end, 0.0), 1) for end in (-intervals[low][0], intervals[high][1]))
        said += (
            f" No difference shown is not equality: the intervals leave room for guided being {worst} points worse "
            f"(`{low}`) or {best} points better (`{high}`)."
        )
    if len(judged) > 1:
        luck = 100 * (1 - 0.95 ** len(judged))
        said += (
            f" If nothing differed anywhere, {luck:.0f} % of such studies would still have an interval that excludes 0."
        )
    tasks = bullets(_of_task(task, entry) for task, entry in judged.items())
    return [said, tasks, f"{_over_tasks(study, few)} {_told_where(study)}".strip()]


def _of_task(task: str, entry: Json) -> str:
    told = {"better": "guided wins", "worse": "guided loses"}.get(entry["verdict"], entry["verdict"])
    said = (
        f"`{task}`, {entry['seeds']} seeds: guided {percent(entry['refined'])}, uniform {percent(entry['uniform'])}, "
        f"difference {points(entry)}: **{told}**."
    )
    if "steps_ratio" in entry:
        said += f" {_steps(entry)}"
    if any(entry.get("collapsed", {}).values()):
        uniform, guided = entry["collapsed"]["uniform"], entry["collapsed"]["refined"]
        said += f" Ended below the base policy: {uniform} uniform and {guided} guided of {entry['seeds']} runs each."
    return said


def _steps(entry: Json) -> str:
    if entry["steps_ratio_note"] == "nothing to reach":
        return "Uniform ends no higher than the base policy, so there are no steps to compare."
    if entry["steps_ratio"] is not None:
        return (
            f"Guided reaches uniform's last success in {ratio(entry, 'steps_ratio')} of the steps that uniform takes."
        )
    said = "The mean guided curve never reaches uniform's last success"
    if entry["reverse_steps_ratio"] is not None:
        said += f"; uniform reaches guided's in {ratio(entry, 'reverse_steps_ratio')} of the steps that guided takes"
    return said + "."


def _told_where(study: Json) -> str:
    """What the control above guidance says about the choice of starts as such; empty if it was not run."""
    entries = {task: s["known_minus_uniform"] for task, s in study["tasks"].items() if "known_minus_uniform" in s}
    judged = {task: e for task, e in entries.items() if e["interval_points"]}
    if not judged:
        return ""
    better = [task for task, e in judged.items() if e["verdict"] == "better"]
    asked = "Starts that are told for nothing where the base policy fails"
    if better:
        return f"{asked} beat uniform ones on {code(better)}: there the choice of starts can pay."
    return (
        f"{asked} are not shown to beat uniform ones on {code(judged)} either: nothing says that a better acquisition "
        "would have helped."
    )


def _over_tasks(study: Json, few: Mapping[str, Json]) -> str:
    entry, said = study["mean"].get("refined_minus_uniform_over_tasks"), ""
    if entry and entry["interval_points"]:
        tasks, gain = len(study["mean"]["tasks"]), points(entry, "tasks")
        said = f"Over the {tasks} tasks of the mean, refined minus uniform is {gain}: {entry['verdict']}."
    if few:
        seeds = min(e["seeds"] for e in few.values())
        said += (
            f" The tasks with {seeds} seed{'s' * (seeds > 1)} can show large differences only; the table has them too."
        )
    return said.strip()


def versus(study: Json, spec: StudySpec, tasks: Sequence[str]) -> list[str]:
    """The comparison of guided with uniform fine-tuning, task by task, and every training."""
    entries = study["guided_over_uniform"] | study["guided_over_uniform_few_seeds"]
    ratios = ("steps_ratio", "steps_ratio_to_90_percent_of_gain", "reverse_steps_ratio")
    rows, trainings = [], []
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
                str(wanted) if entry["seeds"] == wanted else f"{entry['seeds']} of {wanted}",
                f"{100 * entry['bad_region_share']:.1f} %" if "bad_region_share" in entry else "",
                difference(entry),
                p_value(entry["paired_p_value"]),
                difference(entry["area"]) if "area" in entry else "",
                *(ratio(entry, name) if name in entry else "" for name in ratios),
                f"{collapsed['uniform']} / {collapsed['refined']}" if collapsed else "",
            ]
        )
    for task, summary in study["tasks"].items():
        by_arm = [_by_seed(summary["per_seed"].get(name, {})) for name in ("uniform", "resampled", "known", "refined")]
        if not any(by_arm):
            continue
        minus = summary["refined_minus"]
        others = [difference(minus[other]) if other in minus else "" for other in ("base", "resampled")]
        told = difference(summary["known_minus_uniform"]) if "known_minus_uniform" in summary else ""
        trainings.append([f"`{task}`", *by_arm, *others, told])
    header = [
        "task",
        "seeds",
        "bad region",
        "guided - uniform",
        "paired test",
        "area",
        "steps ratio",
        "to 90 % of the gain",
    ]
    trained = ["task", "uniform", "resampled", "told where", "guided", "guided - base", "guided - resampled"]
    trained.append("told where - uniform")
    return [
        f"{table([*header, 'reversed', 'below base'], rows)}\n\n"
        "Differences in points: mean over seeds, paired by seed, and its 95 % t-interval over seeds (bold: excludes "
        "0). Paired test: exact McNemar over all episodes of all seeds; it asks whether these very policies differ, "
        "not whether the next trainings would. Area: difference of the mean success along the learning curve. Steps "
        "ratio: environment steps to uniform's last success on the mean guided curve, over uniform's own, with a 95 "
        "% bootstrap interval over seeds; then to nine tenths of uniform's gain; reversed: uniform to guided's last "
        "success. Below base: uniform / guided runs that ended below the base policy. Bad region: share of the box "
        f"where the base's predicted success is under one half. `{study['command']}`.",
        f"{table(trained, trainings)}\n\n"
        f"Final success of every training in % by seed, from 0 on; differences as above. Told where: starts "
        f"where a model of {thousands(spec.structure_episodes)} more episodes of the base, charged to nobody, predicts "
        f"under {100 * spec.known_below:.0f} %: about the most that choosing starts could give. `{study['command']}`."
        if trainings
        else "",
    ]


def _by_seed(rates: Mapping[str, Any]) -> str:
    seeds = range(max((int(seed) + 1 for seed in rates), default=0))
    return " ".join(f"{100 * rate(rates[str(s)]).value:.1f}" if str(s) in rates else "(not run)" for s in seeds)
