"""Entry points of commands; where libraries take seconds to load, that is said first."""

from __future__ import annotations

import importlib
import sys

from refinery.errors import RefineryError


def assembly() -> None:
    """Run ``assembly``."""
    _start("assembly", "torch, MuJoCo and ROS")


def demo() -> None:
    """Run ``demo``."""
    _start("demo", "torch, MuJoCo and ROS")


def evaluate() -> None:
    """Run ``evaluate``."""
    _serve("evaluate")


def explain() -> None:
    """Run ``explain``."""
    _start("explain", "matplotlib")


def refit() -> None:
    """Run ``refit``."""
    _serve("refit")


def replay() -> None:
    """Run ``replay``."""
    _serve("replay")


def report() -> None:
    """Run ``report``."""
    _start("report", "torch, MuJoCo and ROS")


def _start(name: str, libraries: str) -> None:
    print(f"{name}: loading {libraries} ...", file=sys.stderr, flush=True)
    importlib.import_module(f"refinery_evaluation.cli.{name}").main()


def _serve(name: str) -> None:
    """Run a command that takes its words and returns its exit status; an error of ours is one line."""
    try:
        status = importlib.import_module(f"refinery_evaluation.cli.{name}").main(sys.argv[1:])
    except RefineryError as error:
        print(f"refinery {name}: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
