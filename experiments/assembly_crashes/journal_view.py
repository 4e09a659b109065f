"""A look at the journal from outside, while its node writes to it or is dead."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ONCE = ("grasp", "insert", "release")
"""Phases whose goals must not be done twice: the others go to where the arm may be already."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A phase of a run as the journal has it."""

    step: int
    """Index of the step."""
    attempt: int
    """Attempt at it."""
    phase: str
    """Name."""
    goals: tuple[uuid.UUID, ...]
    """Goals that were written down for it."""
    end: str
    """How it ended; empty if it has not."""
    message: str
    """One sentence."""


def event_count(path: Path) -> int:
    """Return how much is written, of all runs."""
    if not path.exists():
        return 0
    with closing(_opened(path)) as db:
        return int(db.execute("SELECT count(*) FROM events").fetchone()[0])


def phases(path: Path, run: str) -> list[Phase]:
    """Return the phases of a run, in the order they were begun."""
    if not path.exists():
        return []
    with closing(_opened(path)) as db:
        query = "SELECT step, attempt, phase, kind, content FROM events WHERE run = ? ORDER BY id"
        rows = [(tuple(at), kind, json.loads(content)) for *at, kind, content in db.execute(query, (run,))]
    found = dict.fromkeys(at for at, _, _ in rows)
    return [_phase(at, [(kind, content) for key, kind, content in rows if key == at]) for at in found]


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _phase(at: tuple[int, int, str], rows: list[tuple[str, Any]]) -> Phase:
    results = [content for kind, content in rows if kind == "result"]
    return Phase(
        step=at[0],
        attempt=at[1],
        phase=at[2],
        goals=tuple(uuid.UUID(content["uuid"]) for kind, content in rows if kind == "goal"),
        end=results[0]["end"] if results else "",
        message=results[0]["message"] if results else "",
    )


def done_twice(found: list[Phase], succeeded: Mapping[str, set[uuid.UUID]]) -> list[str]:
    """Name what was done more than once, by what the servers themselves say of their goals.

    Args:
        found: The phases of a run.
        succeeded: Goals that ended with success, by phase.

    Returns:
        One sentence each: a phase two of whose goals succeeded, and a part grasped again that was not lost before.
    """
    problems = []
    for phase in found:
        count = len(succeeded.get(phase.phase, set()) & set(phase.goals))
        if phase.phase in ONCE and count > 1:
            problems.append(f"step {phase.step}, attempt {phase.attempt}: {phase.phase} succeeded {count} times")
    grasped = Counter(phase.step for phase in found if phase.phase == "grasp" and phase.end == "done")
    lost = Counter(phase.step for phase in found if phase.end == "lost")
    problems += [
        f"step {step}: grasped {count} times, lost {lost[step]} times"
        for step, count in grasped.items()
        if count > 1 + lost[step]
    ]
    return problems
