"""Repeats what the nodes write to their log files on the terminal, each line with the node's name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, TextIO

_PERIOD_S = 0.1


class OutputEcho:
    """Follows log files until closed.

    Args:
        logs: File to follow, by node name.
        stream: Where to repeat the lines; the terminal if none.
    """

    def __init__(self, logs: Mapping[str, Path], stream: TextIO | None = None) -> None:
        self._width = max((len(name) for name in logs), default=0)
        self._files: dict[str, BinaryIO] = {name: path.open("rb") for name, path in logs.items()}
        self._rest = dict.fromkeys(logs, b"")
        self._stream = stream
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="output-echo", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Repeat the remaining output and end."""
        self._closing.set()
        # A terminal that is paused (Ctrl-S) must not keep the supervisor from ending.
        self._thread.join(timeout=2.0)

    def _follow(self) -> None:
        last = False
        while not last:
            last = self._closing.wait(_PERIOD_S)
            for name, file in self._files.items():
                *lines, self._rest[name] = (self._rest[name] + file.read()).split(b"\n")
                if last and self._rest[name]:
                    lines.append(self._rest[name])
                for line in lines:
                    print(f"[{name:<{self._width}}] {line.decode(errors='replace')}", file=self._stream or sys.stdout)
            if self._stream is None:
                sys.stdout.flush()
        for file in self._files.values():
            file.close()
