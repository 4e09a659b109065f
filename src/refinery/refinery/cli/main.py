"""``refinery <command>``: a registry of subcommands, modules with ``main(argv) -> int``, imported when asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from refinery.cli import run
from refinery.errors import RefineryError

COMMANDS = {
    "up": ("refinery.cli.up", "start the nodes of a robot cell, watch them, stop them together"),
    "sample": ("refinery.cli.sample", "ask /sample_init for initial states and print them"),
    "place": ("refinery.cli.place", "move the plug to an initial state through /place"),
    "insert": ("refinery.cli.insert", "run the policy through /insert, and say how it ended and why"),
    "assemble": ("refinery.cli.assemble", "assemble a sequence through /assemble, or go on with a run"),
    "run": ("refinery.cli.run", "run an executable of a package, where there is no `ros2 run`"),
}
"""Module and one-line description of each subcommand that a robot's computer has, too."""
ELSEWHERE = {
    "task": ("refinery_sim", "task", "write the task file of a part of your own"),
    "check": ("refinery_sim", "check", "find all mistakes of a task file at once, and draw it"),
    "import-policy": ("refinery_sim_train", "import_policy", "make a bundle of a checkpoint of rsl_rl or rl_games"),
    "trial": ("refinery_evaluation", "trial", "place, insert and score trials on the running twin"),
    "explain": ("refinery_evaluation", "explain", "draw one recorded insertion on a page"),
    "report": ("refinery_evaluation", "report", "write the page of a finished run"),
    "evaluate": ("refinery_evaluation", "evaluate", "plan blinded trials of policies, run them, report"),
    "replay": ("refinery_evaluation", "replay", "compute a recorded insertion again and compare, bit for bit"),
    "refit": ("refinery_evaluation", "refit", "correct a bundle's choice of starts by real trials"),
}
"""Package, executable and description of the subcommands that are programs of other packages."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Args:
        argv: Words after ``refinery``; the process's if none.

    Returns:
        The exit code: 0 fine, 1 something went wrong on the way, 2 refused to start, 130 interrupted before.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(_usage())
        return 0 if words else 2
    if words[0] not in COMMANDS | ELSEWHERE:
        print(f"refinery: expected a command, got {words[0]!r}\n{_usage()}", file=sys.stderr)
        return 2
    try:
        if words[0] in ELSEWHERE:
            return run.main([*ELSEWHERE[words[0]][:2], *words[1:]])
        code: int = importlib.import_module(COMMANDS[words[0]][0]).main(words[1:])
    except RefineryError as error:
        print(f"refinery {words[0]}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _usage() -> str:
    described = {name: entry[-1] for name, entry in (COMMANDS | ELSEWHERE).items()}
    rows = [f"  {name:<14} {description}" for name, description in described.items()]
    return "\n".join(["usage: refinery <command> [--help]", *rows])


if __name__ == "__main__":
    sys.exit(main())
