"""Small pictures: what is tested does not depend on their resolution."""

from __future__ import annotations

import pytest

from refinery_evaluation.report import style


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "DOTS_PER_INCH", 100)
