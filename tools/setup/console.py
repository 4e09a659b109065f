"""What the user sees of the set-up: one line per step with its time; everything else goes to a log file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_TAIL_LINES = 15


class SetupError(Exception):
    """The set-up cannot go on.

    Args:
        what: What is wrong: expected and got.
        todo: What to do about it.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what}\n  -> {todo}")


class Console:
    """Runs steps and shows them.

    Args:
        log_path: File that gets all output; started anew by the first step.
        ticking: Whether a terminal shows the time of the step that is going on.
    """

    def __init__(self, log_path: Path, *, ticking: bool = True) -> None:
        self.log_path = log_path
        self._fresh = True
        self._terminal = sys.stdout.isatty()
        self._ticking = ticking and self._terminal
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def step(self, label: str, work: Callable[[], None]) -> None:
        """Run a function under one line with its elapsed time.

        Args:
            label: What the line says.
            work: What to do.
        """
        self.log(f"=== {label}")
        start = time.monotonic()
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(label, start, done), daemon=True)
        ticker.start()
        try:
            work()
        except BaseException:
            self._finish(label, start, done, ticker, "stopped after ")
            raise
        self._finish(label, start, done, ticker, "")

    def run(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, todo: Callable[[str], str]
    ) -> None:
        """Run a command with its output in the log.

        Args:
            command: Program and arguments.
            env: Its whole environment.
            cwd: Its working directory.
            todo: From the end of its output to what the user should do if it fails.

        Raises:
            SetupError: It failed.
        """
        words = [str(word) for word in command]
        self.log("$ " + " ".join(words))
        with self.log_path.open("ab") as log:
            begin = log.tell()
            with self._lock:
                if self._stopped:
                    raise SetupError(f"`{Path(words[0]).name} ...` was not started", "run the same command again")
                # A group of its own, so that an interruption ends the compilers it started too.
                process = self._process = subprocess.Popen(
                    words,
                    env=dict(env),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            try:
                code = process.wait()
            except BaseException:
                _end_group(process)
                raise
        if code != 0:
            with self.log_path.open("rb") as log:
                log.seek(begin)
                output = log.read().decode(errors="replace")
            tail = "\n".join(f"    | {line}" for line in output.splitlines()[-_TAIL_LINES:])
            what = " ".join([Path(words[0]).name, *words[1:4]])
            raise SetupError(
                f"`{what} ...` failed with exit code {code}; its last lines:\n{tail}",
                f"{todo(output)} (everything it said: {self.log_path})",
            )

    def stop(self) -> None:
        """End the command that another thread runs here, and refuse all that come after it."""
        with self._lock:
            self._stopped = True
            if self._process is not None and self._process.poll() is None:
                _end_group(self._process)

    def log(self, text: str) -> None:
        """Write a line to the log file."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("w" if self._fresh else "a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        self._fresh = False

    def _tick(self, label: str, start: float, done: threading.Event) -> None:
        while self._ticking and not done.wait(0.5):
            print(f"\r  {label:<58} {time.monotonic() - start:6.1f} s", end="", flush=True)

    def _finish(self, label: str, start: float, done: threading.Event, ticker: threading.Thread, verdict: str) -> None:
        done.set()
        ticker.join()
        # Over what this step, or one that goes on beside it, has written of its time.
        back = "\r" if self._terminal else ""
        print(f"{back}  {label:<58} {verdict}{time.monotonic() - start:6.1f} s", flush=True)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started; only that group is signalled."""
    for number, patience_s in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience_s)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
