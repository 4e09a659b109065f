"""Which build of the tick these tests are about: they pass with either, and must not take one for the other."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from refinery.tick import compiled

MODULES = ("pose", "samples", "decoder", "encoder", "interpolator", "tick_result", "timing", "runtime")
GUARD = ("bounds", "decision", "estimates", "guard", "out_of_distribution", "reason")


@pytest.mark.parametrize("name", [*MODULES, *(f"guard.{name}" for name in GUARD)])
def test_every_module_is_from_the_build_that_was_asked_for(name: str) -> None:
    pure = bool(os.environ.get(compiled.PURE))
    file = importlib.import_module(f"refinery.tick.{name}").__file__
    assert file is not None
    assert (Path(file).suffix == ".py") == pure, compiled.description()
    assert compiled.description().startswith("interpreted: " if pure else "compiled")
