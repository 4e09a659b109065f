"""What ``study`` writes: results, tables and plots, and the comparison of a fresh run with the committed one."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from experiments.study import plan
from experiments.study.page import page
from experiments.study.plan import StudySpec
from experiments.study.plots import PLOTS
from experiments.study.records import Records
from experiments.study.report import write_report
from experiments.test.study.synthetic import STUDY, Truth, identities_of, identity_of, save_all, spec_of, study_spec
from refinery.config import load_dataclass
from refinery.errors import RefineryError
from refinery.paths import config_file, share_dir

COMMAND = "make study"


def report(spec, out, truths=None, leave_out=lambda unit: False, tasks=None, identities=None, preset="full"):
    """Write a report of made-up records and return the lines printed."""
    lines: list[str] = []
    records = save_all(spec, out / "study", truths or {}, leave_out)
    write_report(spec, tasks or spec.tasks, records, identities or identities_of(spec), out, lines.append, preset)
    return lines


def tables(text: str) -> list[list[str]]:
    """Blocks of table rows."""
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def row(text: str, task: str) -> str:
    """The first row of a task."""
    return next(line for line in text.splitlines() if line.startswith(f"| `{task}` |"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The complete study as the repository's own results: root of the repository, lines printed, tables."""
    root = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFINERY_SHARE", str(root))
        lines = report(study_spec(), root / "results", STUDY)
    return root, lines, (root / "results" / "study.md").read_text()


@pytest.mark.parametrize(("preset", "folder"), [("full", "results"), ("long", "results/long")])
def test_the_committed_tables_are_those_of_the_committed_results(preset, folder):
    out, spec = share_dir() / folder, load_dataclass(config_file("study", preset), StudySpec)
    drawn = [file.stem for file in (out / "study").glob("*.png")]
    study = json.loads((out / "study.json").read_text())
    assert page(study, spec, spec.tasks, drawn) == (out / "study.md").read_text()


def test_results_tables_and_plots_are_written_side_by_side(written):
    root, lines, text = written
    study = json.loads((root / "results" / "study.json").read_text())
    assert study["command"] == COMMAND and study["seed"] == 0 and study["commit"] and study["date"] and study["machine"]
    for stem in PLOTS:
        assert (root / "results" / "study" / f"{stem}.png").stat().st_size < 150_000
        assert f"(study/{stem}.png)" in text
    assert len(lines) == 1 and "174 of 174 units" in lines[0]


def test_every_table_is_whole(written):
    assert len(tables(written[2])) == 8
    for table in tables(written[2]):
        assert len({line.count("|") for line in table}) == 1, table[0]
        assert len(table) >= 3
    assert not re.search(r"\bnan\b|\binf\b|None", written[2])


def test_a_difference_whose_interval_excludes_0_is_bold(written):
    guided = tables(written[2])[1]
    shown = {line.split("|")[1].strip(" `"): line.split("|")[4].strip() for line in guided[2:]}
    assert [task for task in ("rect_slip", "t_post", "cross_corner") if shown[task].startswith("**")] == [
        "rect_slip",
        "cross_corner",
    ]
    assert shown["rect_slip"].startswith("**+") and shown["cross_corner"].startswith("**\N{MINUS SIGN}")


def test_an_unfinished_study_shows_what_is_missing(repository):
    spec = spec_of(("a", "b"), versus=("a",), ablation_tasks=("a",))
    missing = lambda unit: unit.task == "b" or unit.kind == "starts" or (unit.arm, unit.seed) == ("uniform", 1)  # noqa: E731
    report(spec, repository / "results", {}, missing)
    text = (repository / "results" / "study.md").read_text()
    assert row(text, "b").count("not run yet (0 of 3 seeds)") == 8
    assert "2 of 3 seeds" in row(text, "a") and row(text, "a").count("not run yet (0 of 3 seeds)") == 4
    study = json.loads((repository / "results" / "study.json").read_text())
    assert f"{study['units']['done']} of {study['units']['wanted']}" in text and study["units"]["done"] > 0
    assert "7 of 8" in text and "starts_calibration.png" not in text
    assert "b" not in study["tasks"] and "refined_best_rule" not in study["tasks"]["a"]


def test_other_settings_name_their_own_command_and_show_only_their_arms(tmp_path, repository):
    report(spec_of(("a", "b")), repository / "results")
    out = tmp_path / "long"
    lines = report(replace(spec_of(("a", "b")), arms=("uniform", "guided")), out, preset="long")
    text = (out / "study.md").read_text()
    own = f'{COMMAND} ARGS="--preset long --out {out}/study"'
    assert json.loads((out / "study.json").read_text())["command"] == own and f"`{own}`" in text
    header = tables(text)[0][0]
    assert "uniform fine-tuning" in header and "resampled failures" not in header
    # Of other settings, figures are not to be compared with the repository's own.
    assert len(lines) == 1


def test_before_the_first_unit_there_are_tables_too(repository):
    spec = spec_of(("a",), versus=("a",), ablation_tasks=("a",))
    report(spec, repository / "results", {}, lambda unit: True)
    text = (repository / "results" / "study.md").read_text()
    assert "not run yet" in row(text, "a") and "![" not in text


def test_a_plot_whose_data_are_gone_is_removed(repository):
    out = repository / "results"
    report(spec_of(("a",)), out)
    assert (out / "study" / "learning.png").exists()
    for file in (out / "study" / "a").glob("tune_*.json"):
        file.unlink()
    spec = spec_of(("a",))
    write_report(spec, spec.tasks, Records(out / "study"), identities_of(spec), out, lambda line: None)
    assert not (out / "study" / "learning.png").exists()


def test_one_task_run_again_at_home_keeps_the_others(repository):
    spec = spec_of(("a", "b"))
    report(spec, repository / "results", tasks=("a",))
    assert set(json.loads((repository / "results" / "study.json").read_text())["tasks"]) == {"a", "b"}


def test_a_run_elsewhere_is_compared_with_the_committed_one(repository, tmp_path):
    spec = spec_of(("a", "b"))
    report(spec, repository / "results", {"a": Truth()})
    out = tmp_path / "check"
    lines = report(spec, out, {"a": Truth(base=0.45)}, tasks=("a",))
    by_name = {line.split()[0]: line for line in lines if line.startswith("  ")}
    assert "differs" in by_name["base"] and "committed" in by_name["base"] and "seeds 0,1,2" in by_name["base"]
    assert by_name["refined"].endswith("agrees, equal") and by_name["refined_best_rule"].endswith("agrees, equal")
    assert any(line.startswith("a: this run against the committed one (same settings") for line in lines)
    assert not any(line.startswith("b:") for line in lines)
    assert re.match(r"\d+ of \d+ figures agree", lines[-1])


def test_only_seeds_that_both_have_are_compared(repository, tmp_path):
    spec = spec_of(("a",))
    report(spec, repository / "results")
    lines = report(spec, tmp_path / "check", leave_out=lambda unit: unit.seed > 0)
    (line,) = (line for line in lines if line.startswith("  uniform "))
    assert "seeds 0 " in line and line.endswith("agrees, equal")


def test_other_settings_are_pointed_out(repository, tmp_path):
    spec = spec_of(("a",))
    report(spec, repository / "results")
    summary = repository / "results" / "study.json"
    summary.write_text(summary.read_text().replace(identity_of("a"), "other"))
    assert any("OTHER settings" in line for line in report(spec, tmp_path / "check"))


@pytest.mark.parametrize("tuned_only", [False, True])
def test_results_of_units_that_match_no_more_are_not_replaced(repository, monkeypatch, tuned_only):
    out, spec = repository / "results", spec_of(("a",))
    report(spec, out)
    identities = identities_of(spec) if tuned_only else {"a": "changed"}
    monkeypatch.setattr(plan, "TRAINING", plan.TRAINING + 1)
    before = {file: file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}
    lines: list[str] = []
    with pytest.raises(RefineryError) as refused:
        write_report(spec, spec.tasks, Records(out / "study"), identities, out, lines.append)
    done, stored = int(tuned_only), len(list((out / "study" / "a").glob("*.json")))
    said = str(refused.value)
    assert "nothing written" in said and f"reports {stored} units, and only {done} stored" in said and "\n" not in said
    assert not lines and before == {file: file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def test_stale_units_are_reported(repository):
    lines = report(spec_of(("a",)), repository / "results", identities={"a": "changed"})
    assert any("other settings" in line for line in lines)
