import io
import json
from pathlib import Path

import pytest
from PIL import Image

from experiments.study import __main__ as study
from experiments.study.page import NAMES, page
from experiments.study.plots import conditions, learning
from experiments.study.summary import summarise
from experiments.study.work import Places, stored, unit_identity
from experiments.test.study.synthetic import complete, record, study_spec
from refinery.errors import RefineryError
from refinery.paths import share_dir

EXTENT = {
    "runs": 10,
    "wanted": 10,
    "command": "make study",
    "machine": ["2 cores"],
    "git_revision": ["0123456789abcdef"],
    "date": ["2026-11-26T12:00:00"],
    "with_uncommitted_changes": 0,
}


@pytest.fixture(scope="module")
def summary():
    spec = study_spec()
    return {"extent": EXTENT, **summarise(spec, complete(spec))}


def test_the_page_has_a_row_for_every_task_and_a_column_for_every_condition(summary):
    text = page(summary, "study")
    assert all(f"| `{task}`" in text for task in ("peg_rect", "hexagon", "t_post"))
    assert all(name in text for name in NAMES.values())
    assert "96.0 ±" in text and "384/400" in text and "`t_post` (kept out)" in text
    assert "-1.0 (-1.0 to -1.0)" in text


@pytest.mark.parametrize("plot", [conditions, learning])
def test_plots_are_pictures(summary, plot):
    assert Image.open(io.BytesIO(plot(summary))).width > 500


def test_results_of_other_settings_are_not_used_and_never_replaced_by_fewer(tmp_path):
    spec = study_spec(tasks=("peg_rect",), seeds=1, kept_out=(), arms={})
    places = Places(results=tmp_path / "study", scratch=tmp_path / "scratch")
    args = study.Args(out=places.results)
    unit = next(iter(study.units(spec)))
    places.results.mkdir()

    def keep(mark: str) -> None:
        places.result(unit).write_text(json.dumps(record(unit, mark=mark)))

    with pytest.raises(RefineryError):
        study.write_report(spec, places, args)
    keep(unit_identity(spec, unit))
    study.write_report(spec, places, args)
    before = (tmp_path / "study.json").read_text()
    keep("another")
    assert stored(spec, unit, places) is None
    with pytest.raises(RefineryError):
        study.write_report(spec, places, args)
    assert (tmp_path / "study.json").read_text() == before
    places.result(unit).write_text("{")
    with pytest.raises(RefineryError, match=unit.name):
        stored(spec, unit, places)


def test_the_committed_page_is_of_the_committed_figures():
    results = Path(share_dir()) / "results"
    committed = json.loads((results / "study.json").read_text())
    assert page(committed, "study") == (results / "study.md").read_text()
