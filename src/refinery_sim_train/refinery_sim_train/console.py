"""Progress for people: bars with time left on a terminal, one line per finished stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Update(Protocol):
    """Reports how far a stage is."""

    def __call__(self, share: float, note: str = "") -> None:
        """Set the share done, in [0, 1], and optionally a short note."""


console = Console(highlight=False, soft_wrap=True)
"""The console that all commands print to."""


@contextmanager
def stage(title: str) -> Iterator[Update]:
    """Show a stage of work.

    Args:
        title: Name of the stage.

    Yields:
        ``update(share, note)``: share done in [0, 1] and a short note.
    """
    began = time.monotonic()
    last = ""
    if not console.is_terminal:

        def remember(share: float, note: str = "") -> None:
            nonlocal last
            last = note or last

        yield remember
    else:
        columns = (
            TextColumn("{task.description:<34}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task(title, total=1.0, note="")

            def update(share: float, note: str = "") -> None:
                nonlocal last
                last = note or last
                progress.update(bar, completed=min(share, 1.0), note=last)

            yield update
    console.print(f"  {title:<38} {time.monotonic() - began:6.1f} s  {last}")
