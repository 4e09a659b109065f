"""The tick's modules once more, as Python, beside those that this process has imported."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

import refinery
from refinery.tick import compiled

_TICK = "refinery.tick"


def interpreted_modules(*names: str) -> list[ModuleType]:
    """Import modules of :mod:`refinery.tick` from their sources; nobody else gets to see them.

    Args:
        names: Their names within the package.
    """
    mine = {name: module for name, module in sys.modules.items() if f"{name}.".startswith(f"{_TICK}.")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(compiled.PURE, "1")
        patch.setattr(sys, "meta_path", [f for f in sys.meta_path if not isinstance(f, compiled.CompiledFinder)])
        # Importing it again replaces it here.
        patch.setattr(refinery, "tick", refinery.tick)
        for name in mine:
            del sys.modules[name]
        try:
            return [importlib.import_module(f"{_TICK}.{name}") for name in names]
        finally:
            for name in [name for name in sys.modules if f"{name}.".startswith(f"{_TICK}.")]:
                del sys.modules[name]
            sys.modules.update(mine)
