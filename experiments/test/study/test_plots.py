"""Every plot is drawn, small enough to commit, and absent where there is nothing to draw."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from experiments.study.plots import PLOTS
from experiments.study.summary import summarise
from experiments.test.study.synthetic import identities_of, save_all, spec_of


def assert_drawn(png: bytes | None) -> None:
    """Wide enough, neither blank nor cut off at its right border, and small."""
    assert png is not None and len(png) < 150_000
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=np.float64)
    assert image.shape[1] >= 900 and image.std() > 10
    assert image[:, -3:].std() < 1, "something is drawn over the right border"


@pytest.mark.parametrize("name", PLOTS)
def test_the_complete_study(name, complete):
    assert_drawn(PLOTS[name](complete[1]))


@pytest.mark.parametrize("name", PLOTS)
def test_one_task_with_one_seed(name, tmp_path):
    spec = spec_of(("only_one",), seeds=1, ablation_tasks=("only_one",))
    study = summarise(spec, spec.tasks, save_all(spec, tmp_path, {}), identities_of(spec))
    assert_drawn(PLOTS[name](study))


@pytest.mark.parametrize("name", PLOTS)
def test_nothing_run(name, tmp_path):
    spec = spec_of(("a",))
    records = save_all(spec, tmp_path, {}, leave_out=lambda unit: True)
    assert PLOTS[name](summarise(spec, spec.tasks, records, identities_of(spec))) is None


def test_the_base_alone_has_no_learning_curve(tmp_path):
    spec = spec_of(("a",))
    records = save_all(spec, tmp_path, {}, leave_out=lambda unit: unit.kind != "base")
    study = summarise(spec, spec.tasks, records, identities_of(spec))
    assert [name for name, plot in PLOTS.items() if plot(study)] == ["conditions", "structure"]


def test_the_same_study_gives_the_same_bytes(complete):
    assert PLOTS["conditions"](complete[1]) == PLOTS["conditions"](complete[1])
