"""Processes on the other end of a round trip, ended whatever happens."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from refinery.errors import RefineryError

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 60.0
_END_S = 10.0


@contextmanager
def running(module: str, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module as a process of its own for the length of a ``with``."""
    # From the repository, where the modules of experiments/ are found: they are not installed.
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.DEVNULL, cwd=_ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition: Callable[[], bool], what: str, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until a condition holds.

    Raises:
        RefineryError: It takes too long, or one of the processes has ended.
    """
    end_s = time.monotonic() + _PATIENCE_S
    while not condition():
        ended = [process for process in processes if process.poll() is not None]
        if ended:
            raise RefineryError(f"bench: {what}: process {ended[0].args!r} ended with {ended[0].returncode}")
        if time.monotonic() > end_s:
            raise RefineryError(f"bench: expected {what} within {_PATIENCE_S:.0f} s")
