"""``refinery <command>``: a registry of subcommands, modules with ``main(argv) -> int``, imported when asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from refinery.errors import RefineryError

COMMANDS = {
    "up": ("refinery.cli.up", "start the nodes of a robot cell, watch them, stop them together"),
    "sample": ("refinery.cli.sample", "ask /sample_init for initial states and print them"),
    "run": ("refinery.cli.run", "run an executable of a package, where there is no `ros2 run`"),
    "evaluate": ("refinery_evaluation.cli.evaluate", "plan blinded trials of policies, run them, report"),
    "replay": ("refinery_evaluation.cli.replay", "compute a recorded insertion again and compare, bit for bit"),
}
"""Module and one-line description of each subcommand."""


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
    if words[0] not in COMMANDS:
        print(f"refinery: expected a command, got {words[0]!r}\n{_usage()}", file=sys.stderr)
        return 2
    try:
        code: int = importlib.import_module(COMMANDS[words[0]][0]).main(words[1:])
    except RefineryError as error:
        print(f"refinery {words[0]}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _usage() -> str:
    rows = [f"  {name:<10} {description}" for name, (_, description) in COMMANDS.items()]
    return "\n".join(["usage: refinery <command> [--help]", *rows])


if __name__ == "__main__":
    sys.exit(main())
