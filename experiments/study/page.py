"""The page of the study, in Markdown, from the contents of ``study.json``; every judgement is chosen by a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from experiments.study.aims import aims
from experiments.study.markdown import bullets, code, make_study
from experiments.study.plan import StudySpec
from experiments.study.summary import BEST_RULE, Json, rate
from experiments.study.tables import acquisition, conditions, starts, structure
from experiments.study.verdict import answer, versus
from refinery_evaluation.report.wording import duration, enumerate_names, thousands

QUESTION = "Would uniform fine-tuning have done the same?"
"""Heading of the section that answers it."""
_CALIBRATED = 0.05
_CAPTIONS = {
    "conditions": "Strict success of every condition",
    "learning": "Learning curves of all arms and training seeds",
    "structure": "Structure of the base policy's success beside shuffled outcomes",
    "starts_calibration": "Start rules, and their success as the model predicted it",
    "acquisition": "Success by settings of guidance",
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
        again = make_study(*study["options"], "--report-only")
        drew = f"![{what}]({images}/{stem}.png)\n\n*{what}* (`{study['command']}`; drawn again: `{again}`)"
        return drew if stem in there else ""

    parts = [
        _asked(study, spec, tasks),
        conditions(study, spec, tasks),
        aims(study, spec),
        f"## {QUESTION}",
        *answer(study),
        picture("learning"),
        *versus(study, spec, tasks),
        picture("conditions"),
        "## What disappoints",
        bullets(_disappointments(study)) or "Nothing that the figures on this page could show.",
        "## Does success depend on the initial state?",
        *structure(study, spec, tasks),
        picture("structure"),
        "## Where to start the refined policy",
        *starts(study, spec, tasks),
        picture("starts_calibration"),
        "## Which acquisition?",
        acquisition(study, spec),
        picture("acquisition"),
        "## Limits",
        bullets(_limits(study, spec)),
        "## How to repeat it",
        _repeat(tasks, study),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _asked(study: Json, spec: StudySpec, tasks: Sequence[str]) -> str:
    done, wanted = study["units"]["done"], study["units"]["wanted"]
    state = f"\n\n**Not finished: {done} of {wanted} units of work have been run.**" if done < wanted else ""
    return (
        "# Does refining work, and would uniform fine-tuning have done the same?\n\n"
        f"<!-- Written by `{study['command']}`; edits are lost. -->\n\n"
        f"Asked on {len(tasks)} task{'s' * (len(tasks) > 1)} in simulation, from one base policy a task: does "
        "fine-tuning where a success model says it pays (*refined*, guided) make the policy succeed more often? "
        f"Would as many environment steps ({thousands(spec.rounds * spec.steps_per_round)}) from uniform starts, or "
        f"from logged failures, have done as well? Does it help to choose where the refined policy starts?{state}"
    )


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
    found = [f"{said}: {code(names)} ({len(names)} of {len(tasks)} tasks)." for said, names in hit.items() if names]
    entries = study["guided_over_uniform"] | study["guided_over_uniform_few_seeds"]
    runs = {task: e for task, e in entries.items() if "collapsed" in e}
    for name, arm in (("uniform", "uniform"), ("refined", "guided")):
        where = [task for task, e in runs.items() if e["collapsed"][name]]
        if where:
            count, of = sum(e["collapsed"][name] for e in runs.values()), sum(e["seeds"] for e in runs.values())
            found.append(f"{count} of {of} {arm} runs ended below the base policy: {code(where)}.")
    return found


def _limits(study: Json, spec: StudySpec) -> list[str]:
    units, steps = study["units"], thousands(spec.rounds * spec.steps_per_round)
    more = f", {spec.versus_seeds} for guided and uniform on {code(spec.versus_tasks)}" if spec.versus_tasks else ""
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
        found.append(f"The units ran from {len(units['commits'])} revisions: {code(c[:8] for c in units['commits'])}.")
    if units["of_other_settings"]:
        found.append(f"{units['of_other_settings']} stored units of other settings are passed over.")
    return found


def _repeat(tasks: Sequence[str], study: Json) -> str:
    preset = [option for option in study["options"] if not option.startswith("--out")]
    one = make_study(*preset, f"--task {tasks[0]}", "--out runs/check/study")
    commands = {
        study["command"]: "everything; goes on where it stopped",
        one: "in a fresh clone: one task from nothing",
        make_study(*study["options"], "--report-only"): "this page again from the stored units",
    }
    lines = "\n".join(f"{command:<{max(map(len, commands))}}  # {what}" for command, what in commands.items())
    return (
        f"```\n{lines}\n```\n\nThe second prints every figure beside the committed one. Figures are in "
        f"`{study['folder']}.json`, the outcome of every episode in `{study['folder']}/<task>/`. Written "
        f"{study['date'][:10]} from revision `{study['commit'][:8]}`."
    )
