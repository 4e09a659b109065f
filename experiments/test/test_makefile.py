"""The targets of the Makefile find the modules that they run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"
RECIPES = re.findall(r"^\t@(.*) python -m (experiments\S*)", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("environment", "module"), RECIPES, ids=[module for _, module in RECIPES])
def test_a_module_is_run_from_the_root_where_it_is_found(environment: str, module: str) -> None:
    # $(ENV) changes to the root of the repository; experiments/ is not installed.
    assert environment == "$(ENV)"
    assert importlib.util.find_spec(module) is not None
