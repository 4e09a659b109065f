"""Entry points of commands whose libraries take seconds to load: each says so before it loads them."""

from __future__ import annotations

import importlib
import sys


def demo() -> None:
    """Run ``demo``."""
    _start("demo", "torch, MuJoCo and ROS")


def explain() -> None:
    """Run ``explain``."""
    _start("explain", "matplotlib")


def report() -> None:
    """Run ``report``."""
    _start("report", "torch, MuJoCo and ROS")


def _start(name: str, libraries: str) -> None:
    print(f"{name}: loading {libraries} ...", file=sys.stderr, flush=True)
    importlib.import_module(f"refinery_evaluation.cli.{name}").main()
