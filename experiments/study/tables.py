"""The tables of conditions, structure, start rules and acquisition functions; what a column means stands below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.study.markdown import bold, cell, percent, span, table
from experiments.study.plan import StudySpec
from experiments.study.plots import RULE_NAMES
from experiments.study.summary import BEST_RULE, CONDITIONS, HARD_BELOW, STARTED, Json, rate
from refinery.statistics import rate_difference_interval
from refinery_evaluation.report.formatting import enumerate_names, number, p_value, thousands

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


def conditions(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    """Tabulate every condition on every task; columns of arms that the settings leave out are left out."""
    rows, left_out = [], {"uniform", "resampled"} - set(spec.arms)
    columns = {name: title for name, title in _COLUMNS.items() if name not in left_out}
    for task in tasks:
        summary = study["tasks"].get(task, {})
        best = _best_of(summary)
        rows.append([f"`{task}`", *(_condition(summary, name, spec.seeds, name in best) for name in columns)])
    mean = study["mean"]
    if len(mean["tasks"]) > 1:
        values = [f"{mean[name]:.1f}" if name in mean else "not run on all yet" for name in columns]
        rows.append([f"mean of the {len(mean['tasks'])} with a base under {100 * HARD_BELOW:.0f} %", *values])
    return (
        f"{table(['task', *columns.values()], rows)}\n\n"
        "Strict success in % (seated to the task's tolerances at the last step) on test episodes that nothing else "
        "uses; ± half of the 95 % Wilson interval; k/n pooled over the same training seeds in every column "
        f"({spec.seeds} where nothing else is given). The interval covers the test episodes; how far trainings differ "
        "is in the next tables. Bold: the best of the row, and what is not shown to be worse (Newcombe's 95 % "
        "interval). Starts are uniform over the deployment box but for the last four columns, which pick easier "
        "ones: compare these with *refined*."
    )


def _condition(summary: Json, name: str, wanted: int, bold: bool) -> str:
    if name not in summary:
        return f"not run yet (0 of {wanted} seeds)"
    seeds = summary["seeds"][name]
    return cell(summary[name], bold) + (f"<br>{seeds} of {wanted} seeds" if seeds != wanted else "")


def _best_of(summary: Json) -> set[str]:
    """Return the conditions that no other one of the row is shown to exceed."""
    found = {name: rate(summary[name]) for name in CONDITIONS if name in summary}
    if len(found) < 2:
        return set()
    best = max(found.values(), key=lambda r: r.value)
    return {name for name, r in found.items() if r == best or rate_difference_interval(r, best)[0] <= 0}


def structure(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    """Tabulate how the base policy's success depends on the initial state."""
    rows = []
    for task in tasks:
        summary = study["tasks"].get(task, {})
        if "structure" not in summary:
            rows.append([f"`{task}`", "not run yet", *[""] * 9])
            continue
        s = summary["structure"]
        pair = ", ".join(dict.fromkeys(s["index_pair"]))
        measures = [f"{_over_null(s['index'], 1, 2)} ({pair})", _over_null(s["bits"], 1, 3)]
        measures += [_over_null(s["best_tenth"], 100, 1), _over_null(s["worst_fifth"], 100, 1)]
        measures += [f"{100 * s['worst_tenth_rate']:.1f}"]
        rates = [percent(summary[name]) for name in ("trained_box", "mean_action", "sampled_action")]
        test = p_value(summary["sampled_action_p_value"])
        rows.append([f"`{task}`", thousands(summary["structure_on"]["n"]), *measures, *rates, test])
    header = ["task", "episodes", "index (pair)", "held-out bits", "best tenth, %", "failures in worst fifth, %"]
    header += ["worst tenth, %", "trained box", "mean action", "sampled action", "paired test"]
    return (
        f"{table(header, rows)}\n\n"
        "The base policy over the deployment box. Each measure / the 95th percentile of the same computation on "
        f"{spec.permutations} shuffles of the outcomes (the index: {10 * spec.permutations}); bold: above it. Index: "
        "variance of success between 5 x 5 cells over the binomial one, for the pair of dimensions where it is "
        "largest. Bits: what the success model gains per held-out episode over the constant rate. Best tenth, worst "
        "fifth, worst tenth: of the model's ranking, fitted on one half of the episodes and measured on the other. "
        "Then success in the box the base was trained in, and over the deployment box with its mean action and with "
        "actions sampled as in training, on the same episodes of seed 0 (exact McNemar)."
    )


def _over_null(measure: Mapping[str, float], factor: float, digits: int) -> str:
    """Return a measure / the 95th percentile of its null, bold where above."""
    value, null = (number(factor * measure[part], digits) for part in ("value", "null_95"))
    return f"**{value}** / {null}" if measure["value"] > measure["null_95"] else f"{value} / {null}"


def starts(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    """Tabulate the success of the refined policies by start rule."""
    rules, rows = list(STARTED.values()), []
    for task in tasks:
        summary = study["tasks"].get(task, {})
        if "start_rules" not in summary:
            rows.append([f"`{task}`", f"not run yet (0 of {spec.seeds} seeds)", *[""] * (len(rules) + 1)])
            continue
        low, high = summary["start_gain_interval_points"][BEST_RULE]
        chosen = summary["chosen_rules"]
        names = enumerate_names([f"{name} ({chosen.count(name)})" for name in dict.fromkeys(chosen)])
        names += f", {len(chosen)} of {spec.seeds} seeds" if len(chosen) != spec.seeds else ""
        gain = bold(span(low, high), low > 0 or high < 0)
        rows.append([f"`{task}`", *(cell(summary["start_rules"][rule]) for rule in rules), names, gain])
    by_rule = table(["task", *(RULE_NAMES[rule] for rule in rules), "chosen (seeds)", "chosen - uniform, points"], rows)
    return (
        f"{by_rule}\n\n"
        "Strict success in % of the refined policies by where they start. All rules are fitted on the same "
        f"{thousands(spec.start_episodes)} episodes of each policy. Chosen: the one of the two that a bundle can "
        f"carry (mixture, superlevel) that succeeded in more of {thousands(spec.choice_episodes)} episodes of its "
        "own; its gain is Newcombe's 95 % interval (bold: excludes 0). "
        f"{thousands(spec.start_test_episodes)} episodes a rule and training; those of uniform starts are the first "
        "of *refined* in the first table."
    )


def predictions(study: Json) -> str:
    """Tabulate predicted and measured success of the start rules; empty while no rule has been tested."""
    tested = [summary["start_rules"] for summary in study["tasks"].values() if "start_rules" in summary]
    if not tested:
        return ""
    rows = []
    for rule in STARTED.values():
        each = [task[rule] for task in tested]
        gap = max((100 * (r["predicted"] - r["measured"]) for r in each), key=abs)
        mean = {key: sum(r[key] for r in each) / len(each) for key in ("predicted", "measured", "spread")}
        percents = [f"{100 * mean[key]:.1f}" for key in ("predicted", "measured")]
        rows.append([RULE_NAMES[rule], *percents, number(gap, 1, signed=True), f"{mean['spread']:.2f}"])
    header = ["rule", "predicted, %", "measured, %", "largest gap, points", "spread over uniform"]
    return (
        f"{table(header, rows)}\n\n"
        "Success that the model predicted for a rule's starts and what was measured, means over tasks, and predicted "
        "minus measured on the task where they are furthest apart. Spread: standard deviation of the starts over "
        "that of uniform ones, mean over dimensions; the smaller, the fewer poses the robot can choose between."
    )


def acquisition(study: Json, spec: StudySpec) -> str:
    """Tabulate success by settings of guidance."""
    if not spec.ablation_tasks:
        return f"Not part of these settings: only `{spec.acquisition.function}` was run."
    order, rows = (spec.acquisition.function, *spec.variants), []
    for task in spec.ablation_tasks:
        found = dict(study["acquisition"].get(task, {}))
        if "uniform" in study["tasks"].get(task, {}):
            found["uniform"] = study["tasks"][task]["uniform"]
        rows.append([f"`{task}`", *(cell(found[n]) if n in found else "not run yet" for n in (*order, "uniform"))])
    described = {f"{spec.acquisition.function} (the study's)": spec.acquisition, **spec.variants}
    names = [f"{name}<br>{a.function}, {a.temperature:g}, {a.uniform_share:g}" for name, a in described.items()]
    return (
        f"{table(['task', *names, 'uniform fine-tuning'], rows)}\n\nGuided fine-tuning by its settings (function, "
        f"temperature, uniform share), equal steps and seeds, {spec.seeds} a figure: trainings can differ by as much."
    )
