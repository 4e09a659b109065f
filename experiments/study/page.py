"""The tables and figures of the study in Markdown, from the contents of ``study.json``; conclusions are in docs/."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from experiments.study.markdown import code, table
from experiments.study.plan import StudySpec
from experiments.study.summary import Json
from experiments.study.tables import acquisition, conditions, predictions, starts, structure
from experiments.study.trainings import every_training, guided_over_uniform
from refinery_evaluation.report.formatting import duration, thousands

_CAPTIONS = {
    "conditions": "Strict success of every condition",
    "learning": "Learning curves of all arms and training seeds",
    "structure": "Structure of the base policy's success against shuffled outcomes",
    "starts_calibration": "Start rules, and their success as the model predicted it",
    "acquisition": "Success by settings of guidance",
}


def page(study: Json, spec: StudySpec, tasks: Sequence[str], drawn: Collection[str]) -> str:
    """Write the tables and figures.

    Args:
        study: Contents of ``study.json``.
        spec: Settings of the study.
        tasks: Names of the tasks, in the order of the rows.
        drawn: Stems of the plots that exist, in the folder ``study`` beside the page.

    Returns:
        Markdown; the same for the same results, whenever and wherever it is written.
    """

    def figure(stem: str) -> str:
        return f"![{_CAPTIONS[stem]}](study/{stem}.png)" if stem in drawn else ""

    parts = [
        f"# The study in tables\n\nWritten by `{study['command']}`; edits are lost. Figures in `study.json`.",
        "## Conditions",
        conditions(study, spec, tasks),
        figure("conditions"),
        "## Guided against uniform fine-tuning",
        guided_over_uniform(study, spec, tasks),
        figure("learning"),
        "## Every training",
        every_training(study, spec),
        "## Structure of the base policy's success",
        structure(study, spec, tasks),
        figure("structure"),
        "## Start rules",
        starts(study, spec, tasks),
        predictions(study),
        figure("starts_calibration"),
        "## Acquisition functions",
        acquisition(study, spec),
        figure("acquisition"),
        "## Extent",
        _extent(study, spec),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _extent(study: Json, spec: StudySpec) -> str:
    """Tabulate how much has been run, where and from which revisions."""
    units = study["units"]
    rows = {
        "units of work done": f"{units['done']} of {units['wanted']}",
        "environment steps of a training": f"{thousands(spec.rounds * spec.steps_per_round)} in {spec.rounds} rounds",
        "test episodes of a training": thousands(spec.test_episodes),
        "episodes of a point of a learning curve": thousands(spec.curve_episodes),
        "training seeds": f"{spec.seeds} an arm",
        "single-threaded work": duration(units["seconds"]),
        "machines": "; ".join(units["machines"]) or "none",
        "revisions": code(commit[:8] for commit in units["commits"]),
        "units with uncommitted changes": str(units["with_uncommitted_changes"]),
        "stored units of other settings, not used": str(units["of_other_settings"]),
    }
    if spec.versus_tasks:
        rows["training seeds"] += f"; {spec.versus_seeds} for guided and uniform on {code(spec.versus_tasks)}"
    return table(["", ""], [[name, value] for name, value in rows.items()])
