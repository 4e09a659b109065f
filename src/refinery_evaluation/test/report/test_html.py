from __future__ import annotations

import base64
import dataclasses
import io
import math
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report.synthetic import demo_data, some_picture, trial

from refinery_evaluation.report import DemoData, TrialRecord, page, write_page
from refinery_evaluation.report.data import Starts
from refinery_evaluation.report.trials_table import outcomes_against_physics, trials_summary

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Collects what a browser would see, and checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words).replace("\u00a0", " ")


def read(content: str) -> Reader:
    reader = Reader()
    reader.feed(content)
    reader.close()
    assert reader.open == []
    return reader


SUCCEEDED, FAILED = np.full(64, True), np.full(64, False)
CORNERS: dict[str, Callable[[], DemoData]] = {
    "usual": demo_data,
    "no trials": lambda: demo_data(trials=0),
    "only sampled": lambda: demo_data(episodes=64, records=records_of(("sampled",), True)),
    "all succeed": lambda: demo_data(episodes=64, base_strict=SUCCEEDED, refined_strict=SUCCEEDED, p_value=1.0),
    "all fail": lambda: demo_data(
        episodes=64,
        base_strict=FAILED,
        refined_strict=FAILED,
        p_value=1.0,
        records=records_of(("uniform", "sampled") * 5, False),
    ),
    "one episode": lambda: demo_data(episodes=1, trials=1),
    "nothing known": lambda: demo_data(
        episodes=64,
        trials=0,
        learning=[],
        seconds={},
        provenance={},
        structure_bits=math.nan,
        p_value=math.nan,
        cell_picture_note="",
    ),
    "picture": lambda: demo_data(episodes=64, cell_picture_png=some_picture(), cell_picture_note="the cell"),
}


def records_of(kinds: Sequence[Starts], strict: bool) -> tuple[TrialRecord, ...]:
    rng = np.random.default_rng(0)
    return tuple(trial(i, starts, np.zeros(9), strict, rng) for i, starts in enumerate(kinds))


@pytest.mark.parametrize("name", CORNERS)
def test_page_is_whole_and_needs_nothing_else(name: str) -> None:
    data = CORNERS[name]()
    content = page(data)
    assert content.startswith("<!DOCTYPE html>") and content.count("<html") == 1
    lowered = re.sub(r"base64,[A-Za-z0-9+/=]*", "", content).lower()
    for outside in ("http", "<script", "<link", "url(", "@import", "file:"):
        assert outside not in lowered
    found = read(content)
    assert found.tags.count("h1") == 1
    assert "nan" not in found.text.lower().split()
    for image in found.images:
        assert image["alt"]
        start, _, encoded = str(image["src"]).partition(",")
        assert start == "data:image/png;base64"
        Image.open(io.BytesIO(base64.b64decode(encoded, validate=True))).verify()
    pictures = 5 + (data.cell_picture_png is not None) - (not data.learning)
    assert len(found.images) == pictures


def test_rates_on_the_page_are_those_of_statistics() -> None:
    data = demo_data()
    text = read(page(data)).text
    for rate in (data.base, data.refined, data.rate_from("uniform"), data.rate_from("sampled")):
        assert rate is not None
        low, high = rate.interval
        digits = 1 if rate.n > 100 else 0
        assert f"{rate.k}/{rate.n}" in text
        assert f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %" in text


def test_all_text_is_escaped() -> None:
    evil = "<script>alert(\"x\")</script> & 'quoted'"
    rng = np.random.default_rng(0)
    data = demo_data(
        episodes=64,
        records=(trial(0, "uniform", np.zeros(9), False, rng, outcome=evil, reason=evil),),
        cell_picture_png=some_picture(),
        cell_picture_note=evil,
        seconds={evil: 1.0},
        provenance={"git_revision": evil, "command": evil, "date": evil, "machine": evil, "versions": {evil: evil}},
        task=dataclasses.replace(demo_data(episodes=1, trials=0).task, description=evil),
    )
    content = page(data)
    assert "<script" not in content
    found = read(content)
    assert found.text.count(evil) >= 9
    assert any(evil in str(image["alt"]) for image in found.images)


def test_failures_come_first() -> None:
    rng = np.random.default_rng(0)
    records = tuple(
        trial(i, "uniform", np.zeros(9), i != 2, rng, seed=9000 + i, placed=i != 2, place_error_mm=math.nan)
        for i in range(4)
    )
    text = read(page(demo_data(episodes=64, records=records))).text
    order = [text.index(str(9000 + i)) for i in range(4)]
    assert order[2] < order[0] < order[1] < order[3]
    assert "not placed" in text


def test_a_refused_placement_is_a_failed_trial_without_a_start() -> None:
    refused = trial(0, "sampled", np.empty(0), False, np.random.default_rng(0), placed=False, outcome="REFUSED")
    text = read(page(demo_data(episodes=64, records=(refused,)))).text
    assert "1 x not placed" in text
    assert "nan" not in text.lower().split()


def test_outcomes_against_the_physics_are_counted() -> None:
    rng = np.random.default_rng(0)
    data = demo_data(episodes=64, records=(trial(0, "sampled", np.zeros(9), False, rng, outcome="SUCCESS"),))
    assert outcomes_against_physics(data.trials) == 1
    assert trials_summary(data) in read(page(data)).text


def test_write_page_makes_its_folder_and_leaves_no_partial_file(tmp_path: Path) -> None:
    path = write_page(tmp_path / "demo" / "report.html", demo_data(episodes=20, trials=1))
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
