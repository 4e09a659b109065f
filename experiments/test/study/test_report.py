"""What ``study`` leaves behind: files, the page that a sceptic reads, and the comparison of a fresh run."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from experiments.study.page import QUESTION
from experiments.study.plan import Unit
from experiments.study.report import write_report
from experiments.test.study.synthetic import STUDY, Truth, identities_of, identity_of, save_all, spec_of, study_spec

COMMAND = "make study"
PLOTS = ("learning", "conditions", "structure", "starts_calibration", "acquisition")


def report(spec, out, truths=None, leave_out=lambda unit: False, tasks=None, identities=None, preset="full"):
    """Write a report of made-up records and return what was said."""
    said: list[str] = []
    records = save_all(spec, out / "study", truths or {}, leave_out)
    write_report(spec, tasks or spec.tasks, records, identities or identities_of(spec), out, said.append, preset)
    return said


def answer(page: str) -> str:
    """The first paragraph of the answer."""
    return page.split(f"## {QUESTION}\n\n")[1].split("\n\n")[0]


def tables(page: str) -> list[list[str]]:
    """Blocks of table rows."""
    found: list[list[str]] = [[]]
    for line in page.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The complete study as the repository's own results."""
    root = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFINERY_SHARE", str(root))
        said = report(study_spec(), root / "results", STUDY)
    return root, said, (root / "docs" / "study.md").read_text()


def test_the_repositorys_results_have_their_page_in_docs(written):
    root, said, page = written
    study = json.loads((root / "results" / "study.json").read_text())
    assert study["command"] == COMMAND and study["seed"] == 0 and study["commit"] and study["date"] and study["machine"]
    for stem in PLOTS:
        assert (root / "results" / "study" / f"{stem}.png").stat().st_size < 150_000
        assert f"(../results/study/{stem}.png)" in page
    assert len(said) == 1 and "174 of 174 units" in said[0]


def test_the_page_starts_with_the_question_the_table_and_the_answer(written):
    page = written[2]
    places = [
        page.index(words) for words in ("Asked on 9 tasks", "| task | base |", "| mean of the 8", f"## {QUESTION}")
    ]
    assert places == sorted(places)
    assert page.index("learning.png") < page.index("## What disappoints") < page.index("## Does success depend")
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings[0] == QUESTION and headings[-2:] == ["Limits", "How to repeat it"]


def test_every_table_is_whole_and_names_its_command(written):
    page = written[2]
    for table in tables(page):
        assert len({row.count("|") for row in table}) == 1, table[0]
        assert len(table) >= 3
    blocks = page.split("\n\n")
    after = [blocks[i + 1] for i, block in enumerate(blocks) if block.startswith(("|", "![")) and i + 1 < len(blocks)]
    assert len(after) == len(tables(page)) + len(PLOTS) and all(f"`{COMMAND}" in text for text in after)
    assert not re.search(r"\bnan\b|\binf\b|None", page)


def test_the_answer_is_the_datas(written):
    page = written[2]
    assert answer(page).startswith(
        "**It depends on the task.** Guided does better on `rect_slip`, uniform on `cross_corner`"
    )
    assert "on `t_post` no difference is shown" in answer(page) and "14 % of such studies" in answer(page)
    assert "ahead on `rect_slip` and behind on `cross_corner`" in answer(page)
    assert "Ended below the base policy: 1 uniform and 0 guided of 8 runs each." in page


@pytest.mark.parametrize(
    ("guided", "words"),
    [
        ({"a": 0.97, "b": 0.97}, "**No.** Guided does better on `a` and `b`."),
        ({"a": 0.97, "b": 0.9}, "**Not on every task.** Guided does better on `a`; on `b` no difference is shown."),
        ({"a": 0.8, "b": 0.8}, "**Yes, and more.** Uniform does better on `a` and `b`."),
        ({"a": 0.9, "b": 0.9}, "**Nothing here shows otherwise.** On `a` and `b` no difference is shown."),
    ],
    ids=["wins", "wins one", "loses", "no difference"],
)
def test_the_answer_follows_wins_ties_and_losses(guided, words, tmp_path, repository):
    spec = spec_of(("a", "b"), seeds=1, versus=("a", "b"))
    out = repository / "results"
    # The wobble of arms differs by seed; without it a tie is a tie.
    truths = {task: Truth(uniform=0.9, guided=rate, seed_spread=0.0) for task, rate in guided.items()}
    report(spec, out, truths)
    assert answer((repository / "docs" / "study.md").read_text()).startswith(words)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (0.97, "where the base policy fails beat uniform ones on `a`: there the choice of starts can pay."),
        (0.9, "are not shown to beat uniform ones on `a` either: nothing says that a better acquisition"),
    ],
    ids=["pays", "does not"],
)
def test_the_answer_says_what_knowing_where_would_bring(known, words, repository):
    spec = spec_of(("a",), versus=("a",))
    report(spec, repository / "results", {"a": Truth(uniform=0.9, guided=known, seed_spread=0.0)})
    assert words in (repository / "docs" / "study.md").read_text()


def test_disappointments_are_named(written):
    section = written[2].split("## What disappoints\n\n")[1].split("\n\n")[0]
    assert "The success model finds no structure in the base policy's success" in section
    assert "`hexagon` and `square_xy` (2 of 9 tasks)" in section
    assert "Sampled actions of the base policy succeed more often" in section and "`cross_corner`" in section
    assert "uniform runs ended below the base policy" in section


def test_an_unfinished_study_says_what_is_missing(repository):
    spec = spec_of(("a", "b"), versus=("a",), ablation_tasks=("a",))
    missing = lambda unit: unit.task == "b" or unit.kind == "starts" or (unit.arm, unit.seed) == ("uniform", 1)  # noqa: E731
    report(spec, repository / "results", {}, missing)
    page = (repository / "docs" / "study.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| `b` |"))
    assert row.count("not run yet (0 of 3 seeds)") == 8
    row = next(line for line in page.splitlines() if line.startswith("| `a` |"))
    assert "2 of 3 seeds" in row and row.count("not run yet (0 of 3 seeds)") == 4
    assert "**Not finished:" in page and "7 of 8" in page and "starts_calibration.png" not in page
    study = json.loads((repository / "results" / "study.json").read_text())
    assert "b" not in study["tasks"] and "refined_best_rule" not in study["tasks"]["a"]


def test_other_settings_name_their_own_command_and_show_only_their_arms(tmp_path, repository):
    report(spec_of(("a", "b")), repository / "results")
    out = tmp_path / "long"
    said = report(replace(spec_of(("a", "b")), arms=("uniform", "guided")), out, preset="long")
    page = (out / "study.md").read_text()
    own = f'{COMMAND} ARGS="--preset long --out {out}/study"'
    assert json.loads((out / "study.json").read_text())["command"] == own and f"`{own}`" in page
    assert f'{COMMAND} ARGS="--preset long --task a --out runs/check/study"' in page
    assert f'{COMMAND} ARGS="--preset long --out {out}/study --report-only"' in page
    assert "uniform fine-tuning" in page and "resampled failures" not in page.split(QUESTION)[0]
    # Of other settings, figures are not to be set beside the repository's own.
    assert len(said) == 1


def test_before_the_first_unit_there_is_a_page_too(repository):
    spec = spec_of(("a",), versus=("a",), ablation_tasks=("a",))
    report(spec, repository / "results", {}, lambda unit: True)
    page = (repository / "docs" / "study.md").read_text()
    assert answer(page).startswith("**Not known yet.**") and "not run yet" in page and "![" not in page


def test_a_plot_that_is_not_true_any_more_goes(repository):
    out = repository / "results"
    report(spec_of(("a",)), out)
    assert (out / "study" / "learning.png").exists()
    write_report(spec_of(("a",)), ("a",), _records(out), {"a": "changed"}, out, lambda line: None)
    assert not (out / "study" / "learning.png").exists()


def test_one_task_run_again_at_home_keeps_the_others(repository):
    spec = spec_of(("a", "b"))
    report(spec, repository / "results", tasks=("a",))
    assert set(json.loads((repository / "results" / "study.json").read_text())["tasks"]) == {"a", "b"}


def test_a_run_elsewhere_is_set_beside_the_committed_one(repository, tmp_path):
    spec = spec_of(("a", "b"))
    report(spec, repository / "results", {"a": Truth()})
    out = tmp_path / "check"
    said = report(spec, out, {"a": Truth(base=0.45)}, tasks=("a",))
    assert (out / "study.md").exists() and "(study/learning.png)" in (out / "study.md").read_text()
    lines = {line.split()[0]: line for line in said if line.startswith("  ")}
    assert "differs" in lines["base"] and "committed" in lines["base"] and "seeds 0,1,2" in lines["base"]
    assert lines["refined"].endswith("agrees, equal") and lines["refined_best_rule"].endswith("agrees, equal")
    assert any(line.startswith("a: this run beside the committed one (same settings") for line in said)
    assert not any(line.startswith("b:") for line in said)
    assert re.match(r"\d+ of \d+ figures agree", said[-1])
    assert not (repository / "docs" / "study.md").read_text().count("(study/")


def test_only_seeds_that_both_have_are_compared(repository, tmp_path):
    spec = spec_of(("a",))
    report(spec, repository / "results")
    said = report(spec, tmp_path / "check", leave_out=lambda unit: unit.seed > 0)
    (line,) = (line for line in said if line.startswith("  uniform "))
    assert "seeds 0 " in line and line.endswith("agrees, equal")


def test_other_settings_are_called_so(repository, tmp_path):
    spec = spec_of(("a",))
    report(spec, repository / "results")
    summary = repository / "results" / "study.json"
    summary.write_text(summary.read_text().replace(identity_of("a"), "other"))
    assert any("OTHER settings" in line for line in report(spec, tmp_path / "check"))


def test_stale_units_are_told(repository):
    said = report(spec_of(("a",)), repository / "results", identities={"a": "changed"})
    assert any("other settings" in line for line in said)


def _records(out):
    from experiments.study.records import Records

    assert Records(out / "study").load(Unit(task="a", kind="base"))
    return Records(out / "study")
