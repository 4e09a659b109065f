"""Write the study's results: ``study.json``, its tables and plots, and a comparison with the committed results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from experiments.study.markdown import make_study
from experiments.study.page import page
from experiments.study.plan import StudySpec, identity
from experiments.study.plots import PLOTS
from experiments.study.records import Records
from experiments.study.summary import MEASURED, Json, rate, summarise
from refinery.errors import RefineryError
from refinery.paths import share_dir
from refinery.statistics import Rate, rate_difference_interval
from refinery.storage import read_json, write_whole
from refinery_sim_train.provenance import provenance
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import shipped_base

Report = Callable[[str], None]

FULL = "full"
"""Settings of the repository's own study."""


def write_report(
    spec: StudySpec,
    tasks: Sequence[str],
    records: Records,
    identities: Mapping[str, str],
    out: Path,
    report: Report,
    preset: str = FULL,
) -> None:
    """Write the results of the study so far.

    Args:
        spec: Settings of the study.
        tasks: Names of the tasks asked for; the repository's own results always cover all of them.
        records: Results of the units.
        identities: Hash of the settings of every task; records with another one are passed over.
        out: Folder for ``study.json``, ``study.md`` and ``study/*.png``.
        report: Called with a line of text.
        preset: Name or path of the settings.

    Raises:
        RefineryError: The results there have more units than now match the settings; nothing was written.
    """
    results = share_dir() / "results"
    home = out.resolve() == results.resolve()
    if home:
        # Running a single task again must not drop the others from the results.
        tasks, identities = spec.tasks, _all_identities(spec, identities)
    options = ([] if preset == FULL else [f"--preset {preset}"]) + ([] if home else [f"--out {out / 'study'}"])
    study = _facts(spec, options) | summarise(spec, tasks, records, identities)
    _check_no_loss(study["units"], out / "study.json")
    machines = study["units"]["machines"]
    study["machine"] = "; ".join(machines) or study["machine"]
    write_whole(out / "study.json", json.dumps(study, indent=1, allow_nan=False) + "\n")
    drawn = _draw(study, out / "study")
    written = out / "study.md"
    write_whole(written, page(study, spec, tasks, drawn))
    units = study["units"]
    report(f"{units['done']} of {units['wanted']} units are in {out / 'study.json'}, {len(drawn)} plots and {written}")
    if units["of_other_settings"]:
        report(f"{units['of_other_settings']} stored units belong to other settings, tasks or base policies: not used")
    if not home and preset == FULL and (results / "study.json").exists():
        committed = read_json(results / "study.json")
        for line in comparison(study, committed):
            report(line)


def _check_no_loss(units: Json, file: Path) -> None:
    """Refuse to replace results by those of fewer units because stored units do not match the settings any more."""
    stale = units["of_other_settings"]
    if not stale or not file.exists():
        return
    before = read_json(file)["units"]["done"]
    if units["done"] < before:
        raise RefineryError(
            f"{file}: nothing written: it reports {before} units, and only {units['done']} stored ones match today's "
            f"settings, tasks, base policies and training ({stale} do not); run the study again, or delete the file to "
            "report on those alone"
        )


def _all_identities(spec: StudySpec, given: Mapping[str, str]) -> dict[str, str]:
    found = dict(given)
    for name in spec.tasks:
        if name not in found:
            task = read_task(name)
            if shipped_base(task).exists():
                found[name] = identity(spec, task, shipped_base(task))
    return found


def _facts(spec: StudySpec, options: list[str]) -> Json:
    facts = provenance(seed=0, env_steps=spec.rounds * spec.steps_per_round)
    return {
        "command": make_study(*options),
        "commit": facts["git_revision"],
        "dirty": facts["dirty"],
        "date": facts["date"],
        "seed": 0,
        "machine": facts["machine"],
    }


def _draw(study: Json, folder: Path) -> list[str]:
    """Draw every plot that has data, remove those that have none, and return the stems of the files."""
    drawn = []
    for stem, plot in PLOTS.items():
        file, content = folder / f"{stem}.png", plot(study)
        if content is None:
            file.unlink(missing_ok=True)
        else:
            write_whole(file, content)
            drawn.append(stem)
    return drawn


def comparison(study: Json, committed: Json) -> list[str]:
    """Compare the figures of this run with those of another one, on the training seeds that both have.

    Args:
        study: Contents of this run's ``study.json``.
        committed: Contents of the other's.

    Returns:
        Lines to print.
    """
    lines, differing, compared = [], 0, 0
    for task in (name for name in study["tasks"] if name in committed["tasks"]):
        mine, theirs = study["tasks"][task], committed["tasks"][task]
        same = mine["identity"] == theirs["identity"]
        settings = "same settings, task and base policy" if same else "OTHER settings, task or base policy"
        lines.append(f"{task}: this run against the committed one ({settings})")
        for name in MEASURED:
            seeds = sorted(mine["per_seed"].get(name, {}).keys() & theirs["per_seed"].get(name, {}).keys(), key=int)
            if not seeds:
                continue
            pair = [_over(summary["per_seed"][name], seeds) for summary in (mine, theirs)]
            low, high = rate_difference_interval(pair[1], pair[0])
            agrees = low <= 0 <= high
            compared, differing = compared + 1, differing + (not agrees)
            agreement = "agrees" if agrees else "differs"
            if all(mine["per_seed"][name][seed] == theirs["per_seed"][name][seed] for seed in seeds):
                agreement += ", equal"
            lines.append(
                f"  {name:<18} {_shown(pair[0])}   committed {_shown(pair[1])}   "
                f"difference {100 * low:+5.1f} to {100 * high:+5.1f} points   seeds {','.join(seeds)}   {agreement}"
            )
    if compared:
        lines.append(
            f"{compared - differing} of {compared} figures agree (Newcombe's 95 % interval of the difference includes "
            "0); of figures that are truly equal one in twenty differs by chance. The intervals cover the test "
            "episodes: where another machine rounds otherwise, trainings diverge, and differ by more than "
            "that."
        )
    return lines


def _over(by_seed: Mapping[str, Mapping[str, int]], seeds: Sequence[str]) -> Rate:
    found = [rate(by_seed[seed]) for seed in seeds]
    return Rate(k=sum(r.k for r in found), n=sum(r.n for r in found))


def _shown(found: Rate) -> str:
    low, high = found.interval
    return f"{100 * found.value:5.1f} % ({100 * low:4.1f} to {100 * high:5.1f}) {found.k:>5}/{found.n:<5}"
