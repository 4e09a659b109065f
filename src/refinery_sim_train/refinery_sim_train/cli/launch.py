"""Entry points of the commands: each says what it loads before it does, since torch takes seconds."""

from __future__ import annotations

import importlib
import sys


def evaluate() -> None:
    """Run ``evaluate``."""
    _start("evaluate")


def export() -> None:
    """Run ``export``."""
    _start("export")


def import_policy() -> None:
    """Run ``import_policy``."""
    _start("import_policy")


def refine() -> None:
    """Run ``refine``."""
    _start("refine")


def train_base() -> None:
    """Run ``train_base``."""
    _start("train_base")


def _start(name: str) -> None:
    print(f"{name}: loading torch and MuJoCo ...", file=sys.stderr, flush=True)
    importlib.import_module(f"refinery_sim_train.cli.{name}").main()
