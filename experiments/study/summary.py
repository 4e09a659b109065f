"""The contents of ``results/study.json`` from the records of the units; pages and plots are made from it alone.

What has not been run is absent. Every condition of a task pools the same training seeds, the study's first ``seeds``,
so that the columns of a row compare like with like; the comparison of guided with uniform uses all the seeds it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.study.curves import area_under, bootstrap_ratio, seed_difference
from experiments.study.plan import VARIANT, StudySpec, Unit, unit_identity, units
from experiments.study.records import Records, unpack_outcomes
from refinery.statistics import Rate, paired_p_value, rate_difference_interval
from refinery_sim_train.refine.package import SHIPPED_RULES

Successes = NDArray[np.bool_]
Json = dict[str, Any]

TRAINED = {"uniform": "uniform", "resampled": "resampled", "refined": "guided", "oracle": "oracle"}
"""Conditions that are a way of fine-tuning, and their arms."""
STARTED = {
    "refined_uniform": "uniform",
    "refined_best_cell": "best_cell",
    "refined_resampled": "resampled",
    "refined_mixture": "mixture",
    "refined_superlevel": "superlevel",
    "refined_model_top": "model_top",
}
"""Conditions that are the refined policy with a rule for its starts, and the rules."""
BEST_RULE = "refined_best_rule"
"""The refined policy with the rule that was chosen on episodes of its own."""
CONDITIONS = (
    "base",
    "uniform",
    "resampled",
    "refined",
    "refined_best_cell",
    "refined_resampled",
    "refined_mixture",
    BEST_RULE,
)
"""Columns of the table, in order."""
MEASURED = tuple(dict.fromkeys((*CONDITIONS, *TRAINED, *STARTED)))
"""All conditions."""
HARD_BELOW = 0.9
"""Success of the base policy under which a task counts into the mean: elsewhere there is little to refine."""
MOST_OF_THE_GAIN = 0.9
"""Part of the other arm's gain for the second ratio of steps, which the noise of a plateau moves less."""


class TaskRecords:
    """Summarise the units of a task that were run with the wanted settings.

    Args:
        spec: Settings of the study.
        task: Name of the task.
        records: All results.
        identity: Hash of the settings; other records are not used.
    """

    def __init__(self, spec: StudySpec, task: str, records: Records, identity: str) -> None:
        self.task, self.identity, self.stale = task, identity, 0
        """Name, hash of the settings, and how many records of other settings were passed over."""
        self.found: dict[Unit, Json] = {}
        """Results of the units."""
        self.wanted = [unit for unit in units(spec) if unit.task == task]
        """All units of the task."""
        for unit in self.wanted:
            record = records.load(unit)
            if record is None:
                continue
            if record["identity"] == unit_identity(identity, spec, unit):
                self.found[unit] = record
            else:
                self.stale += 1

    @property
    def base(self) -> Json | None:
        """Result of the base policy."""
        return self.found.get(Unit(task=self.task, kind="base"))

    def of(self, kind: str, arm: str = "") -> dict[int, Json]:
        """Results of a kind and arm by training seed."""
        return {unit.seed: record for unit, record in self.found.items() if (unit.kind, unit.arm) == (kind, arm)}

    def outcomes(self, condition: str) -> dict[int, Successes]:
        """Test outcomes of a condition by training seed."""
        if condition == "base":
            return {seed: unpack_outcomes(test) for seed, test in enumerate((self.base or {}).get("test", []))}
        if condition in TRAINED:
            return {seed: unpack_outcomes(r["test"]) for seed, r in self.of("tune", TRAINED[condition]).items()}
        started = self.of("starts").items()
        rules = {seed: r["chosen"] if condition == BEST_RULE else STARTED[condition] for seed, r in started}
        return {seed: unpack_outcomes(r["test"][rules[seed]]) for seed, r in started}

    def curves(self, condition: str) -> tuple[NDArray[np.float64], dict[int, NDArray[np.float64]]]:
        """Learning curves: environment steps (points,), and success at them by training seed, from the base at 0 on."""
        starts = (self.base or {}).get("curve_start", [])
        steps, found = np.zeros(0), {}
        for seed, record in self.of("tune", TRAINED[condition]).items():
            if seed < len(starts):
                points = [starts[seed], *record["curve"]]
                steps = np.array([0.0, *(point["env_steps"] for point in record["curve"])])
                found[seed] = np.array([point["k"] / point["n"] for point in points])
        return steps, found


def summarise(spec: StudySpec, tasks: Sequence[str], records: Records, identities: Mapping[str, str]) -> Json:
    """Summarise a study, complete or not.

    Args:
        spec: Settings of the study.
        tasks: Names of the tasks.
        records: Results of the units.
        identities: Hash of the settings of every task; a task without one has no results.

    Returns:
        JSON-ready: tasks, mean, guided_over_uniform, acquisition and how much has been run.
    """
    loaded = {task: TaskRecords(spec, task, records, identities.get(task, "")) for task in tasks}
    summaries = {task: _task_summary(spec, found) for task, found in loaded.items() if found.found}
    versus = {task: entry for task, found in loaded.items() if (entry := _guided_over_uniform(found))}
    return {
        "tasks": summaries,
        "not_run": [task for task in tasks if task not in summaries],
        "mean": _mean(summaries),
        "guided_over_uniform": {task: entry for task, entry in versus.items() if task in spec.versus_tasks},
        "guided_over_uniform_few_seeds": {task: e for task, e in versus.items() if task not in spec.versus_tasks},
        "acquisition": {task: e for task in spec.ablation_tasks if (e := _acquisition(spec, loaded.get(task)))},
        "units": _progress(loaded.values()),
    }


def rate(counts: Mapping[str, Any]) -> Rate:
    """Read k of n back."""
    return Rate(k=int(counts["k"]), n=int(counts["n"]))


def _pooled(outcomes: Iterable[Successes]) -> dict[str, int]:
    return Rate.of(np.concatenate(list(outcomes))).to_json()


def _task_summary(spec: StudySpec, found: TaskRecords) -> Json:
    summary: Json = {"identity": found.identity}
    if found.base:
        summary["structure_bits"] = found.base["structure"]["bits"]["value"]
    outcomes = {name: by_seed for name in MEASURED if (by_seed := found.outcomes(name))}
    first = {name: [o for seed, o in by_seed.items() if seed < spec.seeds] for name, by_seed in outcomes.items()}
    summary |= {name: _pooled(chosen) for name, chosen in first.items() if chosen}
    training = {name: r[min(r)]["env_steps"] for name, arm in TRAINED.items() if (r := found.of("tune", arm))}
    if training:
        summary |= {"env_steps": max(training.values()), "training": training}
    summary["seeds"] = {name: len(chosen) for name, chosen in first.items() if chosen}
    summary["per_seed"] = {
        name: {str(seed): Rate.of(o).to_json() for seed, o in sorted(by_seed.items())}
        for name, by_seed in outcomes.items()
    }
    others = {name: _minus(outcomes, "refined", name) for name in ("base", "uniform", "resampled")}
    summary["refined_minus"] = {name: entry for name, entry in others.items() if entry}
    if oracle := _minus(outcomes, "oracle", "uniform"):
        summary["oracle_minus_uniform"] = oracle
    summary["curves"] = {name: entry for name in TRAINED if (entry := _curve_summary(found, name))}
    engaged = {name: [r["engaged"] for r in found.of("tune", arm).values()] for name, arm in TRAINED.items()}
    engaged["base"] = [found.base["engaged"]] if found.base else []
    summary["engaged"] = {name: _summed(parts) for name, parts in engaged.items() if parts}
    return summary | _base_extras(found) | _start_extras(found)


def _base_extras(found: TaskRecords) -> Json:
    """Return further measures of the base policy: structure, sampled actions, the box it was trained in."""
    base = found.base
    if base is None:
        return {}
    mean, sampled = unpack_outcomes(base["test"][0]), unpack_outcomes(base["sampled_action"])
    return {
        "mean_action": Rate.of(mean).to_json(),
        "sampled_action": Rate.of(sampled).to_json(),
        "sampled_action_p_value": paired_p_value(mean, sampled),
        "trained_box": rate(base["trained_box"]).to_json(),
        "structure": base["structure"],
        "structure_on": rate(base["structure_on"]).to_json(),
        "bad_region_share": base["bad_region_share"],
        "length_scales": base["length_scales"],
    }


def _start_extras(found: TaskRecords) -> Json:
    """The start rules: success against uniform starts of the same policies, calibration and how far they spread."""
    started = found.of("starts")
    if not started:
        return {}
    records = list(started.values())
    rules: Json = {
        rule: _summed(r["test"][rule] for r in records)
        | {
            "predicted": _mean_of(r["calibration"][rule]["predicted"] for r in records),
            "measured": _mean_of(r["calibration"][rule]["measured"] for r in records),
            "spread": _mean_of(np.mean(r["spread_over_uniform"][rule]) for r in records),
        }
        for rule in STARTED.values()
    }
    choices = {name: _summed(r["choice"][name] for r in records) for name in SHIPPED_RULES}
    uniform, gains = rate(rules["uniform"]), {}
    for name in (*STARTED, BEST_RULE):
        if name != "refined_uniform":
            interval = rate_difference_interval(uniform, rate(_pooled(found.outcomes(name).values())))
            gains[name] = [round(100 * end, 2) for end in interval]
    return {
        "chosen_rules": [started[seed]["chosen"] for seed in sorted(started)],
        "start_rules": rules,
        "start_choice": choices,
        "start_gain_interval_points": gains,
        "start_fitted_on": _summed(r["fitted_on"] for r in records),
    }


def _mean_of(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 4)


def _summed(parts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counted = list(parts)
    return {key: sum(int(part[key]) for part in counted) for key in ("k", "n")}


def _minus(outcomes: Mapping[str, Mapping[int, Successes]], one: str, other: str) -> Json:
    """One condition against another on the seeds both have: over seeds, and over all their episodes."""
    first, second = outcomes.get(other, {}), outcomes.get(one, {})
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return {}
    difference = seed_difference([first[s].mean() for s in seeds], [second[s].mean() for s in seeds])
    joined = [np.concatenate([by_seed[s] for s in seeds]) for by_seed in (first, second)]
    return difference.to_json() | {"paired_p_value": paired_p_value(*joined)}


def _curve_summary(found: TaskRecords, condition: str) -> Json:
    steps, by_seed = found.curves(condition)
    if not by_seed:
        return {}
    success = {str(seed): np.round(curve, 4).tolist() for seed, curve in sorted(by_seed.items())}
    return {"env_steps": steps.astype(int).tolist(), "success": success}


def _guided_over_uniform(found: TaskRecords) -> Json:
    """Guided against uniform fine-tuning, on all the seeds that have both."""
    outcomes = {name: found.outcomes(name) for name in ("base", "uniform", "refined")}
    entry = _minus(outcomes, "refined", "uniform")
    if not entry:
        return {}
    seeds = sorted(outcomes["uniform"].keys() & outcomes["refined"].keys())
    for name, by_seed in outcomes.items():
        if all(seed in by_seed for seed in seeds):
            entry[name] = _pooled(by_seed[seed] for seed in seeds)
    if "base" in entry:
        entry["collapsed"] = {
            name: sum(int(outcomes[name][s].mean() < outcomes["base"][s].mean()) for s in seeds)
            for name in ("uniform", "refined")
        }
    if found.base:
        entry["bad_region_share"] = found.base["bad_region_share"]
    steps, uniform = found.curves("uniform")
    _, guided = found.curves("refined")
    both = sorted(uniform.keys() & guided.keys())
    if both:
        u, g = (np.stack([curves[seed] for seed in both]) for curves in (uniform, guided))
        entry["area"] = seed_difference(area_under(steps, u), area_under(steps, g)).to_json()
        entry |= bootstrap_ratio(steps, g, u).to_json("steps_ratio")
        entry |= bootstrap_ratio(steps, u, g).to_json("reverse_steps_ratio")
        entry |= bootstrap_ratio(steps, g, u, MOST_OF_THE_GAIN).to_json("steps_ratio_to_90_percent_of_gain")
    return entry


def _acquisition(spec: StudySpec, found: TaskRecords | None) -> dict[str, dict[str, int]]:
    """Success by settings of guidance; the study's own is the guided arm."""
    if found is None:
        return {}
    functions: dict[str, dict[str, int]] = {}
    own = spec.acquisition.function
    for name in (own, *spec.variants):
        arm = "guided" if name == own else VARIANT + name
        tests = [r["test"] for seed, r in found.of("tune", arm).items() if seed < spec.seeds]
        if tests:
            functions[name] = _summed(tests)
    # The guided arm alone compares nothing.
    return functions if functions.keys() - {own} else {}


def _mean(summaries: Mapping[str, Json]) -> Json:
    """Unweighted means over the tasks that leave something to refine, of the conditions that all of them have."""
    hard = [task for task, s in summaries.items() if "base" in s and rate(s["base"]).value < HARD_BELOW]
    if not hard:
        return {"tasks": []}
    names = [name for name in MEASURED if all(name in summaries[task] for task in hard)]
    means = {name: [rate(summaries[task][name]).value for task in hard] for name in names}
    found: Json = {name: round(100 * float(np.mean(values)), 2) for name, values in means.items()}
    if {"uniform", "refined"} <= means.keys():
        found["refined_minus_uniform_over_tasks"] = seed_difference(means["uniform"], means["refined"]).to_json()
        # Here the pairs are tasks.
        del found["refined_minus_uniform_over_tasks"]["seeds"]
    return found | {"tasks": hard}


def _progress(loaded: Iterable[TaskRecords]) -> Json:
    """Count the units that were run, with machines and revisions."""
    every = list(loaded)
    records = [record for found in every for record in found.found.values()]
    dates = sorted(str(record["date"]) for record in records)
    return {
        "done": len(records),
        "wanted": sum(len(found.wanted) for found in every),
        "of_other_settings": sum(found.stale for found in every),
        "seconds": round(sum(float(record["seconds"]) for record in records)),
        "first": dates[0] if dates else None,
        "last": dates[-1] if dates else None,
        "commits": sorted({str(record["git_revision"]) for record in records}),
        "with_uncommitted_changes": sum(bool(record["dirty"]) for record in records),
        "machines": sorted({str(record["machine"]) for record in records}),
    }
