"""``refinery run <package> <executable> [arguments...]``: what ``ros2 run`` does, where there is no ros2 command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from refinery.bringup.executables import find_executable

_USAGE = "usage: refinery run <package> <executable> [arguments...]"


def main(argv: Sequence[str]) -> int:
    """Become the executable; returns only if the words are not usable.

    Args:
        argv: Package, executable and its arguments.
    """
    if len(argv) < 2 or argv[0] in ("-h", "--help"):
        print(_USAGE, file=sys.stdout if argv else sys.stderr)
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    path = find_executable(argv[0], argv[1], os.environ)
    os.execv(path, [str(path), *argv[2:]])
