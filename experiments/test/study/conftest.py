"""A complete study of nine tasks, and what a repository around it looks like."""

from __future__ import annotations

import pytest

from experiments.study.summary import summarise
from experiments.test.study.synthetic import STUDY, identities_of, save_all, study_spec
from refinery_evaluation.report import style


@pytest.fixture(scope="session", autouse=True)
def small_plots():
    """Plots of fewer pixels: what is tested does not depend on their resolution."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "DOTS_PER_INCH", 100)
        yield


@pytest.fixture(scope="session")
def complete(tmp_path_factory):
    """(settings, summary) of the complete study."""
    spec = study_spec()
    records = save_all(spec, tmp_path_factory.mktemp("study"), STUDY)
    return spec, summarise(spec, spec.tasks, records, identities_of(spec))


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository that share_dir() points to."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.setenv("REFINERY_SHARE", str(root))
    return root
