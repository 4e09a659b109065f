"""The page of the study, in Markdown, from the contents of ``study.json``; every judgement is chosen by a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from refinery.report.wording import duration, enumerate_names, number, p_value, thousands
from refinery.statistics import rate_difference_interval
from refinery_sim_train.refine.acquire import ACQUISITIONS
from refinery_sim_train.study.plan import StudySpec
from refinery_sim_train.study.plots import RULE_NAMES
from refinery_sim_train.study.summary import BEST_RULE, CONDITIONS, HARD_BELOW, STARTED, Json, rate

COMMAND = "make study"
"""What makes the results."""
QUESTION = "Would uniform fine-tuning have done the same?"
"""Heading of the section that answers it."""
_COLUMNS = {
    "base": "base",
    "uniform": "uniform fine-tuning",
    "resampled": "resampled failures",
    "refined": "refined",
    "refined_best_cell": "refined, best cell",
    "refined_resampled": "refined, resampled successes",
    "refined_mixture": "refined, mixture (paper)",
    BEST_RULE: "refined, chosen rule",
}
_CALIBRATED = 0.05
_CAPTIONS = {
    "conditions": "Strict success of every condition",
    "learning": "Learning curves of all arms and training seeds",
    "structure": "Structure of the base policy's success beside shuffled outcomes",
    "starts_calibration": "Start rules, and their success as the model predicted it",
    "acquisition": "Success by acquisition function",
}


def page(study: Json, spec: StudySpec, tasks: Sequence[str], images: str, drawn: Iterable[str]) -> str:
    """Write the page.

    Args:
        study: Contents of ``study.json``.
        spec: Settings of the study.
        tasks: Names of the tasks, in the order of the rows.
        images: Folder of the plots, seen from the page.
        drawn: Stems of the plots there are.

    Returns:
        Markdown.
    """
    there = set(drawn)

    def picture(stem: str) -> str:
        what = _CAPTIONS[stem]
        drew = f"![{what}]({images}/{stem}.png)\n\n*{what}* (`{COMMAND}`; drawn again: `{COMMAND} ARGS=--report-only`)"
        return drew if stem in there else ""

    parts = [
        _asked(study, spec, tasks),
        _conditions(study, spec, tasks),
        f"## {QUESTION}",
        *_answer(study),
        picture("learning"),
        *_versus(study, spec, tasks),
        picture("conditions"),
        "## What disappoints",
        _bullets(_disappointments(study)) or "Nothing that the figures on this page could show.",
        "## Does success depend on the initial state?",
        *_structure(study, spec, tasks),
        picture("structure"),
        "## Where to start the refined policy",
        *_starts(study, spec, tasks),
        picture("starts_calibration"),
        "## Which acquisition function?",
        _acquisition(study, spec),
        picture("acquisition"),
        "## Limits",
        _bullets(_limits(study, spec)),
        "## How to repeat it",
        _repeat(tasks, study),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _asked(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    done, wanted = study["units"]["done"], study["units"]["wanted"]
    state = f"\n\n**Not finished: {done} of {wanted} units of work have been run.**" if done < wanted else ""
    return (
        "# Does refining work, and would uniform fine-tuning have done the same?\n\n"
        f"<!-- Written by `{COMMAND}`; edits are lost. -->\n\n"
        f"Asked on {len(tasks)} task{'s' * (len(tasks) > 1)} in simulation, from one base policy a task: does "
        "fine-tuning where a success model says it pays (*refined*, guided) make the policy succeed more often? "
        f"Would as many environment steps ({thousands(spec.rounds * spec.steps_per_round)}) from uniform starts, or "
        f"from logged failures, have done as well? Does it help to choose where the refined policy starts?{state}"
    )


def _conditions(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    rows = []
    for task in tasks:
        summary = study["tasks"].get(task, {})
        best = _best_of(summary)
        rows.append([f"`{task}`", *(_condition(summary, name, spec.seeds, name in best) for name in CONDITIONS)])
    mean = study["mean"]
    if len(mean["tasks"]) > 1:
        values = [f"{mean[name]:.1f}" if name in mean else "not run on all yet" for name in CONDITIONS]
        rows.append([f"mean of the {len(mean['tasks'])} with a base under {100 * HARD_BELOW:.0f} %", *values])
    return (
        f"{_table(['task', *_COLUMNS.values()], rows)}\n\n"
        "Strict success in % (seated to the task's tolerances at the last step) on test episodes that nothing else "
        "uses; ± half of the 95 % Wilson interval; k/n pooled over the same training seeds in every column "
        f"({spec.seeds} where nothing else is said). The interval covers the test episodes; how far trainings differ "
        "is in the next section. Bold: the best of the row, and what is not shown to be worse (Newcombe's 95 % "
        "interval). Starts are uniform over the deployment box but for the last four columns, which pick easier "
        f"ones: compare these with *refined*. `{COMMAND}`."
    )


def _condition(summary: Json, name: str, wanted: int, bold: bool) -> str:
    if name not in summary:
        return f"not run yet (0 of {wanted} seeds)"
    seeds = summary["seeds"][name]
    return _cell(summary[name], bold) + (f"<br>{seeds} of {wanted} seeds" if seeds != wanted else "")


def _best_of(summary: Json) -> set[str]:
    """Conditions that none in the row is shown to be better than."""
    found = {name: rate(summary[name]) for name in CONDITIONS if name in summary}
    if len(found) < 2:
        return set()
    best = max(found.values(), key=lambda r: r.value)
    return {name for name, r in found.items() if r == best or rate_difference_interval(r, best)[0] <= 0}


def _answer(study: Json) -> list[str]:
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
        said = f"**It depends on the task.** Guided does better on {_code(better)}, uniform on {_code(worse)}"
    elif better:
        said = f"**{'Not on every task' if undecided else 'No'}.** Guided does better on {_code(better)}"
    elif worse:
        said = f"**Yes, and more.** Uniform does better on {_code(worse)}"
    else:
        said = f"**Nothing here shows otherwise.** On {_code(undecided)} no difference is shown"
    said += f"; on {_code(undecided)} no difference is shown." if undecided and (better or worse) else "."
    said += (
        " Both arms start from the same policy, spend the same environment steps and are tested on the same episodes."
    )
    ahead, behind = (
        [task for task, e in judged.items() if e.get("area", {}).get("verdict") == verdict]
        for verdict in ("better", "worse")
    )
    if ahead or behind:
        said += " Over the whole of the training rather than at its end (area under the curve), guided is "
        said += " and ".join(f"{how} on {_code(on)}" for how, on in (("ahead", ahead), ("behind", behind)) if on) + "."
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
    return [said, _bullets(_of_task(task, entry) for task, entry in judged.items()), _over_tasks(study, few)]


def _of_task(task: str, entry: Json) -> str:
    told = {"better": "guided wins", "worse": "guided loses"}.get(entry["verdict"], entry["verdict"])
    said = (
        f"`{task}`, {entry['seeds']} seeds: guided {_percent(entry['refined'])}, uniform {_percent(entry['uniform'])}, "
        f"difference {_points(entry)}: **{told}**."
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
            f"Guided reaches uniform's last success in {_ratio(entry, 'steps_ratio')} of the steps that uniform takes."
        )
    said = "The mean guided curve never reaches uniform's last success"
    if entry["reverse_steps_ratio"] is not None:
        said += f"; uniform reaches guided's in {_ratio(entry, 'reverse_steps_ratio')} of the steps that guided takes"
    return said + "."


def _over_tasks(study: Json, few: Mapping[str, Json]) -> str:
    entry, said = study["mean"].get("refined_minus_uniform_over_tasks"), ""
    if entry and entry["interval_points"]:
        tasks, points = len(study["mean"]["tasks"]), _points(entry, "tasks")
        said = f"Over the {tasks} tasks of the mean, refined minus uniform is {points}: {entry['verdict']}."
    if few:
        seeds = min(e["seeds"] for e in few.values())
        said += (
            f" The tasks with {seeds} seed{'s' * (seeds > 1)} can show large differences only; the table has them too."
        )
    return said.strip()


def _versus(study: Json, spec: StudySpec, tasks: Sequence[str]) -> list[str]:
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
                _difference(entry),
                p_value(entry["paired_p_value"]),
                _difference(entry["area"]) if "area" in entry else "",
                *(_ratio(entry, name) if name in entry else "" for name in ratios),
                f"{collapsed['uniform']} / {collapsed['refined']}" if collapsed else "",
            ]
        )
    for task, summary in study["tasks"].items():
        by_arm = [_by_seed(summary["per_seed"].get(name, {})) for name in ("uniform", "resampled", "refined")]
        if not any(by_arm):
            continue
        minus = summary["refined_minus"]
        others = [_difference(minus[other]) if other in minus else "" for other in ("base", "resampled")]
        trainings.append([f"`{task}`", *by_arm, *others])
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
    trained = ["task", "uniform", "resampled", "guided", "guided - base", "guided - resampled"]
    return [
        f"{_table([*header, 'reversed', 'below base'], rows)}\n\n"
        "Differences in points: mean over seeds, paired by seed, and its 95 % t-interval over seeds (bold: excludes "
        "0). Paired test: exact McNemar over all episodes of all seeds; it asks whether these very policies differ, "
        "not whether the next trainings would. Area: difference of the mean success along the learning curve. Steps "
        "ratio: environment steps to uniform's last success on the mean guided curve, over uniform's own, with a 95 "
        "% bootstrap interval over seeds; then to nine tenths of uniform's gain; reversed: uniform to guided's last "
        "success. Below base: uniform / guided runs that ended below the base policy. Bad region: share of the box "
        f"where the base's predicted success is under one half. `{COMMAND}`.",
        f"{_table(trained, trainings)}\n\n"
        f"Final success of every training in % by seed, from 0 on; differences as above. `{COMMAND}`."
        if trainings
        else "",
    ]


def _by_seed(rates: Mapping[str, Any]) -> str:
    seeds = range(max((int(seed) + 1 for seed in rates), default=0))
    return " ".join(f"{100 * rate(rates[str(s)]).value:.1f}" if str(s) in rates else "(not run)" for s in seeds)


def _disappointments(study: Json) -> list[str]:
    """Sentences about what did not come out as one would hope."""
    tasks = study["tasks"]

    def not_better(other: str) -> Callable[[Json], bool]:
        return lambda s: s["refined_minus"].get(other, {}).get("verdict") in ("worse", "no difference shown")

    def no_gain(rule: str) -> Callable[[Json], bool]:
        return lambda s: s.get("start_gain_interval_points", {}).get(rule, [1.0])[0] <= 0

    def flat(s: Json) -> bool:
        return "structure" in s and s["structure"]["bits"]["value"] <= s["structure"]["bits"]["null_95"]

    def dithers(s: Json) -> bool:
        significant = s.get("sampled_action_p_value", 1.0) < 0.05
        return significant and rate(s["sampled_action"]).value > rate(s["mean_action"]).value

    def uncalibrated(s: Json) -> bool:
        return any(abs(r["predicted"] - r["measured"]) > _CALIBRATED for r in s.get("start_rules", {}).values())

    kinds = {
        "Refining is not shown to beat the base policy": not_better("base"),
        "Guided is not shown to beat uniform fine-tuning": not_better("uniform"),
        "Guided is not shown to beat restarting from logged failures": not_better("resampled"),
        "The success model finds no structure in the base policy's success, so it has nothing to guide by": flat,
        "The chosen start rule is not shown to beat uniform starts": no_gain(BEST_RULE),
        "The paper's mixture over successes is not shown to beat uniform starts": no_gain("refined_mixture"),
        "Sampled actions of the base policy succeed more often than its mean action": dithers,
        f"A start rule's success was predicted wrong by more than {100 * _CALIBRATED:.0f} points": uncalibrated,
    }
    hit = {said: [task for task, summary in tasks.items() if test(summary)] for said, test in kinds.items()}
    found = [f"{said}: {_code(names)} ({len(names)} of {len(tasks)} tasks)." for said, names in hit.items() if names]
    entries = study["guided_over_uniform"] | study["guided_over_uniform_few_seeds"]
    runs = {task: e for task, e in entries.items() if "collapsed" in e}
    for name, arm in (("uniform", "uniform"), ("refined", "guided")):
        where = [task for task, e in runs.items() if e["collapsed"][name]]
        if where:
            count, of = sum(e["collapsed"][name] for e in runs.values()), sum(e["seeds"] for e in runs.values())
            found.append(f"{count} of {of} {arm} runs ended below the base policy: {_code(where)}.")
    return found


def _structure(study: Json, spec: StudySpec, tasks: Sequence[str]) -> list[str]:
    rows, above, known = [], [], 0
    for task in tasks:
        summary = study["tasks"].get(task, {})
        if "structure" not in summary:
            rows.append([f"`{task}`", "not run yet", *[""] * 9])
            continue
        s, known = summary["structure"], known + 1
        above += [task] if s["bits"]["value"] > s["bits"]["null_95"] else []
        pair = ", ".join(dict.fromkeys(s["index_pair"]))
        measures = [f"{_beside(s['index'], 1, 2)} ({pair})", _beside(s["bits"], 1, 3), _beside(s["best_tenth"], 100, 1)]
        measures += [_beside(s["worst_fifth"], 100, 1), f"{100 * s['worst_tenth_rate']:.1f}"]
        rates = [_percent(summary[name]) for name in ("trained_box", "mean_action", "sampled_action")]
        test = p_value(summary["sampled_action_p_value"])
        rows.append([f"`{task}`", thousands(summary["structure_on"]["n"]), *measures, *rates, test])
    header = ["task", "episodes", "index (pair)", "held-out bits", "best tenth, %", "failures in worst fifth, %"]
    header += ["worst tenth, %", "trained box", "mean action", "sampled action", "paired test"]
    said = f"The success model gains held-out bits beyond chance on {len(above)} of {known} tasks: {_code(above)}."
    return [
        said if known else "",
        f"{_table(header, rows)}\n\n"
        "The base policy over the deployment box. Each measure / the 95th percentile of the same computation on "
        f"{spec.permutations} shuffles of the outcomes (the index: {10 * spec.permutations}); bold: above it. Index: "
        "variance of success between 5 x 5 cells over the binomial one, for the pair of dimensions where it is "
        "largest. Bits: what the success model gains per held-out episode over the constant rate. Best tenth, worst "
        "fifth, worst tenth: of the model's ranking, fitted on one half of the episodes and measured on the other. "
        "Then success in the box the base was trained in, and over the deployment box with its mean action and with "
        f"actions sampled as in training, on the same episodes of seed 0 (exact McNemar). `{COMMAND}`.",
    ]


def _beside(measure: Mapping[str, float], factor: float, digits: int) -> str:
    value, null = (number(factor * measure[part], digits) for part in ("value", "null_95"))
    return f"**{value}** / {null}" if measure["value"] > measure["null_95"] else f"{value} / {null}"


def _starts(study: Json, spec: StudySpec, tasks: Sequence[str]) -> list[str]:
    rules = list(STARTED.values())
    rows, known = [], []
    for task in tasks:
        summary = study["tasks"].get(task, {})
        if "start_rules" not in summary:
            rows.append([f"`{task}`", f"not run yet (0 of {spec.seeds} seeds)", *[""] * (len(rules) + 1)])
            continue
        known.append(summary["start_rules"])
        low, high = summary["start_gain_interval_points"][BEST_RULE]
        chosen = summary["chosen_rules"]
        names = enumerate_names([f"{name} ({chosen.count(name)})" for name in dict.fromkeys(chosen)])
        names += f", {len(chosen)} of {spec.seeds} seeds" if len(chosen) != spec.seeds else ""
        gain = _bold(_range(low, high), low > 0 or high < 0)
        rows.append([f"`{task}`", *(_cell(summary["start_rules"][rule]) for rule in rules), names, gain])
    table = _table(["task", *(RULE_NAMES[rule] for rule in rules), "chosen (seeds)", "chosen - uniform, points"], rows)
    parts = [
        f"{table}\n\n"
        "Strict success in % of the refined policies by where they start. All rules are fitted on the same "
        f"{thousands(spec.start_episodes)} episodes of each policy. Chosen: the one of the two that a bundle can "
        f"carry (mixture, superlevel) that won more of {thousands(spec.choice_episodes)} episodes of its own; its "
        "gain is Newcombe's 95 % interval (bold: excludes 0). Uniform starts are drawn anew, so they and *refined* "
        f"of the first table differ by chance. `{COMMAND}`."
    ]
    means = []
    for rule in rules if known else ():
        each = [task[rule] for task in known]
        gap = max((100 * (r["predicted"] - r["measured"]) for r in each), key=abs)
        mean = {key: sum(r[key] for r in each) / len(each) for key in ("predicted", "measured", "spread")}
        percents = [f"{100 * mean[key]:.1f}" for key in ("predicted", "measured")]
        means.append([RULE_NAMES[rule], *percents, number(gap, 1, signed=True), f"{mean['spread']:.2f}"])
    if means:
        header = ["rule", "predicted, %", "measured, %", "largest gap, points", "spread over uniform"]
        parts.append(
            f"{_table(header, means)}\n\n"
            "Success that the model predicted for a rule's starts and what was measured, means over tasks, and "
            "predicted minus measured on the task where they are furthest apart. Spread: standard deviation of the "
            "starts over that of uniform ones, mean over dimensions; the smaller, the less choice the robot has "
            f"left. `{COMMAND}`."
        )
    return parts


def _acquisition(study: Json, spec: StudySpec) -> str:
    if not spec.ablation_tasks:
        return f"Not part of these settings: only `{spec.acquisition.function}` was run."
    rows, apart = [], []
    for task in spec.ablation_tasks:
        functions = study["acquisition"].get(task, {})
        uniform = {"uniform": study["tasks"][task]["uniform"]} if "uniform" in study["tasks"].get(task, {}) else {}
        found = functions | uniform
        rows.append(
            [f"`{task}`", *(_cell(found[n]) if n in found else "not run yet" for n in (*ACQUISITIONS, "uniform"))]
        )
        values = sorted((rate(counts) for counts in functions.values()), key=lambda r: r.value)
        apart += [task] if values and rate_difference_interval(values[0], values[-1])[0] > 0 else []
    names = [f"{name} (the study's)" if name == spec.acquisition.function else name for name in ACQUISITIONS]
    told = f" Best and worst, picked afterwards, differ by more than the test episodes explain on {_code(apart)}."
    return (
        f"{_table(['task', *names, 'uniform fine-tuning'], rows)}\n\nGuided fine-tuning by acquisition function, equal "
        f"steps and seeds, {spec.seeds} a figure: trainings can differ by as much as functions do."
        f"{told if study['acquisition'] else ''} `{COMMAND}`."
    )


def _limits(study: Json, spec: StudySpec) -> list[str]:
    units, steps = study["units"], thousands(spec.rounds * spec.steps_per_round)
    more = f", {spec.versus_seeds} for guided and uniform on {_code(spec.versus_tasks)}" if spec.versus_tasks else ""
    found = [
        "Simulation only (MuJoCo). Nothing on this page has been run on a robot.",
        "One base policy a task, from one training; another one may fail elsewhere.",
        f"{spec.seeds} training seeds an arm{more}: intervals over so few are wide.",
        f"One length, {steps} environment steps in {spec.rounds} rounds, and one set of PPO hyper-parameters for all "
        "tasks and arms. Steps are counted, not time: guided also fits a model every round, from the training's own "
        "episodes.",
        "Start rules were fitted for the guided policy only, so what they would add to a uniform one is not known.",
        f"{thousands(spec.test_episodes)} test episodes a training and {thousands(spec.curve_episodes)} a point of a "
        "curve.",
    ]
    if units["machines"]:
        where = enumerate_names(units["machines"])
        found.append(f"Machines: {where}; {duration(units['seconds'])} of single-threaded work in all.")
    if units["with_uncommitted_changes"]:
        found.append(f"{units['with_uncommitted_changes']} of {units['done']} units ran with uncommitted changes.")
    if len(units["commits"]) > 1:
        found.append(f"The units ran from {len(units['commits'])} revisions: {_code(c[:8] for c in units['commits'])}.")
    if units["of_other_settings"]:
        found.append(f"{units['of_other_settings']} stored units of other settings are passed over.")
    return found


def _repeat(tasks: Sequence[str], study: Json) -> str:
    one = f'{COMMAND} ARGS="--task {tasks[0]} --out runs/check/study"'
    commands = {
        COMMAND: "everything; goes on where it stopped",
        one: "in a fresh clone: one task from nothing",
        f"{COMMAND} ARGS=--report-only": "this page again from the stored units",
    }
    lines = "\n".join(f"{command:<{len(one)}}  # {what}" for command, what in commands.items())
    return (
        f"```\n{lines}\n```\n\nThe second prints every figure beside the committed one. Figures are in "
        "`results/study.json`, the outcome of every episode in `results/study/<task>/`. Written "
        f"{study['date'][:10]} from revision `{study['commit'][:8]}`."
    )


def _range(low: float, high: float) -> str:
    return f"{number(low, 1, signed=True)} to {number(high, 1, signed=True)}"


def _difference(entry: Json) -> str:
    value = number(entry["difference_points"], 1, signed=True)
    if entry["interval_points"] is None:
        return f"{value} (one seed)"
    return _bold(f"{value} ({_range(*entry['interval_points'])})", entry["verdict"] in ("better", "worse"))


def _points(entry: Json, over: str = "seeds") -> str:
    value = number(entry["difference_points"], 1, signed=True)
    return f"{value} points (95 % t-interval over {over} {_range(*entry['interval_points'])})"


def _ratio(entry: Json, name: str) -> str:
    if entry[f"{name}_note"] == "nothing to reach":
        return "no gain to reach"
    value, low, high = ("never" if r is None else f"{r:.2f}" for r in (entry[name], *entry[f"{name}_interval"]))
    return f"{value} ({low} to {high})" if low != high else value


def _bold(text: str, bold: bool) -> str:
    return f"**{text}**" if bold else text


def _percent(counts: Mapping[str, Any]) -> str:
    return f"{100 * rate(counts).value:.1f} %"


def _cell(counts: Mapping[str, Any], bold: bool = False) -> str:
    found = rate(counts)
    low, high = found.interval
    return f"{_bold(f'{100 * found.value:.1f}', bold)} ±{50 * (high - low):.1f}<br>{found.k}/{found.n}"


def _code(names: Iterable[str]) -> str:
    return enumerate_names([f"`{name}`" for name in names])


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(row) for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {line} |" for line in lines)
