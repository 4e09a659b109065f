"""``refinery assemble`` as a process that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OVER = 0
"""Exit code of a run in which every step is done."""


class Client:
    """One ``refinery assemble`` for a run, new or gone on with.

    Args:
        run: Its name.
        seed: Of a new run.
        log: Gets its output.
    """

    def __init__(self, run: str, seed: int, log: Path) -> None:
        self._log = log
        words = ["assemble", "--resume", run, "--seed", str(seed), "--wait-s", "60"]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "refinery.cli.main", *words],
                env=dict(os.environ, PYTHONUNBUFFERED="1"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def said(self) -> str:
        """Return what it said of the outcome, or why it gave up."""
        lines = self._log.read_text(errors="replace").splitlines()
        told = [line for line in lines if line and not line.startswith(("  run", "waiting for", "run "))]
        return told[-1] if told else ""
