"""``refinery evaluate <step>``: plan a comparison of policies, run its trials, report."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

STEPS = {
    "plan": ("refinery_evaluation.cli.evaluate_plan", "how many trials are needed; draw a blinded plan"),
    "run": ("refinery_evaluation.cli.evaluate_run", "run the trials of a plan; stop and go on at any time"),
    "report": ("refinery_evaluation.cli.evaluate_report", "rates, paired differences, failures: a page and JSON"),
}
"""Module and one-line description of each step."""


def main(argv: Sequence[str]) -> int:
    """Run a step.

    Args:
        argv: Words after ``refinery evaluate``.

    Returns:
        Its exit code; 2 if there is no such step.
    """
    words = list(argv)
    usage = "\n".join(["usage: refinery evaluate <step> [--help]", *(f"  {n:<8} {d}" for n, (_, d) in STEPS.items())])
    if not words or words[0] not in STEPS:
        asked = bool(words) and words[0] in ("-h", "--help")
        print(usage, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    code: int = importlib.import_module(STEPS[words[0]][0]).main(words[1:])
    return code
