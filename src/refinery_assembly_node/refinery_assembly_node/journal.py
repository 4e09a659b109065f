"""The journal of an assembly: every phase's intent before it begins, its goals before they are sent, and its result.

A killed process loses nothing of what was written, nor does a power failure: SQLite with a write-ahead log, each commit
synchronised to the disk. Rows are never changed; each carries a hash over itself and the one before.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import uuid
from pathlib import Path
from typing import Any

from refinery.errors import DamagedFileError, RefineryError
from refinery.storage import storage_error
from refinery_assembly_node.phase import End, Ended, Phase, Position

SCHEMA = 1
"""Version of the layout."""
_INTENT, _GOAL, _RESULT = "intent", "goal", "result"
_TABLES = """
CREATE TABLE header (schema INTEGER NOT NULL, sequence TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE runs (run TEXT PRIMARY KEY, seed INTEGER NOT NULL, link TEXT NOT NULL);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs, step INTEGER NOT NULL, attempt INTEGER NOT NULL,
    phase TEXT NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL, link TEXT NOT NULL);
CREATE UNIQUE INDEX once ON events (run, step, attempt, phase, kind) WHERE kind != 'goal';
"""
_ADVICE = "free some space or name another journal; nothing moves that is not written down"


class JournalError(RefineryError):
    """The journal cannot be used for this run; nothing moves."""


class Journal:
    """One file, one sequence, any number of runs, one process at a time.

    Args:
        path: The file; it is made if it is not there.
        name: Name of the sequence.
        digest: SHA-256 of the sequence.

    Raises:
        JournalError: It belongs to another sequence, or another process has it open.
        DamagedFileError: It is no journal, or not what was written.
        StorageError: It cannot be written.
    """

    def __init__(self, path: Path, name: str, digest: str) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise storage_error(path, error, _ADVICE) from error
        try:
            self._take_lock()
            self._db = self._opened(name, digest)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Give the file free for another process."""
        self._db.close()
        os.close(self._lock)

    def runs(self) -> dict[str, int]:
        """Seeds of all runs, by name, the oldest first."""
        return dict(self._db.execute("SELECT run, seed FROM runs ORDER BY rowid"))

    def begin_run(self, run: str, seed: int) -> None:
        """Write down a new run.

        Raises:
            JournalError: There is one of that name.
            StorageError: No room.
        """
        if run in self.runs():
            raise JournalError(f"{self.path}: run: expected a new name, got {run!r}, which is there already")
        link = _link(self._header, run, seed)
        self._write("INSERT INTO runs VALUES (?, ?, ?)", (run, seed, link))

    def intend(self, run: str, position: Position) -> None:
        """Write down that a phase is about to begin.

        Raises:
            JournalError: It was begun already.
            StorageError: No room.
        """
        self._append(run, position, _INTENT, {})

    def send(self, run: str, position: Position) -> uuid.UUID:
        """Choose the id of a goal and write it down, before the goal is sent.

        Raises:
            StorageError: No room.
        """
        goal = uuid.uuid4()
        self._append(run, position, _GOAL, {"uuid": goal.hex})
        return goal

    def end(self, run: str, position: Position, ended: Ended) -> None:
        """Write down how a phase ended.

        Raises:
            JournalError: It has ended already.
            StorageError: No room.
        """
        content = {"end": ended.end.value, "message": ended.message, "data": ended.data}
        self._append(run, position, _RESULT, content)

    def results(self, run: str) -> dict[Position, Ended]:
        """Results of all phases of a run that have ended, in the order they ended."""
        found = {}
        for position, content in self._rows(run, _RESULT):
            end = End(content["end"])
            found[position] = Ended(end=end, message=content["message"], data=content["data"])
        return found

    def open_intent(self, run: str) -> tuple[Position, list[uuid.UUID]] | None:
        """Return the phase that was begun and has no result, with the goals that may have been sent; None if none."""
        ended = self.results(run)
        for position, _ in self._rows(run, _INTENT):
            if position not in ended:
                goals = [uuid.UUID(content["uuid"]) for at, content in self._rows(run, _GOAL) if at == position]
                return position, goals
        return None

    def export(self) -> str:
        """Return everything as JSON lines, for people."""
        columns = ("run", "step", "attempt", "phase", "kind", "content")
        rows = self._db.execute(f"SELECT {', '.join(columns)} FROM events ORDER BY id")
        lines = [dict(zip(columns, row, strict=True)) for row in rows]
        return "".join(json.dumps(line | {"content": json.loads(line["content"])}) + "\n" for line in lines)

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"{self.path}: expected a journal that nobody writes to, got one that another process has open; "
                "end it, or name another journal"
            ) from None

    def _opened(self, name: str, digest: str) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            if not db.execute("SELECT name FROM sqlite_master").fetchall():
                db.execute("BEGIN")
                for statement in _TABLES.split(";\n")[:-1]:
                    db.execute(statement)
                db.execute("INSERT INTO header VALUES (?, ?, ?)", (SCHEMA, name, digest))
                db.execute("COMMIT")
            self._check(db, name, digest)
        except sqlite3.OperationalError as error:
            db.close()
            raise self._no_room(error) from error
        except sqlite3.DatabaseError as error:
            db.close()
            raise DamagedFileError(f"{self.path}: expected a journal, got {error}; name another one") from None
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: sqlite3.Connection, name: str, digest: str) -> None:
        """Check whose journal it is, and that every row is as it was written."""
        headers = db.execute("SELECT schema, sequence, hash FROM header").fetchall()
        if len(headers) != 1 or headers[0][0] != SCHEMA:
            raise DamagedFileError(f"{self.path}: expected a journal of version {SCHEMA}, got {headers}")
        _, its_name, its_digest = headers[0]
        if its_digest != digest:
            raise JournalError(
                f"{self.path}: expected the journal of the sequence {name!r} ({digest[:12]}), got that of "
                f"{its_name!r} ({its_digest[:12]}); name another journal, or take the sequence it was begun with"
            )
        self._header = _link("", SCHEMA, its_name, its_digest)
        for run, seed, link in db.execute("SELECT run, seed, link FROM runs"):
            self._expect(link == _link(self._header, run, seed), f"run {run!r}")
        self._last = self._header
        for number, row in enumerate(db.execute("SELECT * FROM events ORDER BY id"), start=1):
            *fields, link = row
            self._expect(fields[0] == number and link == _link(self._last, *fields), f"row {number}")
            self._last = link
        self._count = db.execute("SELECT count(*) FROM events").fetchone()[0]

    def _expect(self, whole: bool, what: str) -> None:
        if not whole:
            raise DamagedFileError(
                f"{self.path}: {what}: expected what was written, got something edited or cut; begin a new journal"
            )

    def _rows(self, run: str, kind: str) -> list[tuple[Position, dict[str, Any]]]:
        rows = self._db.execute(
            "SELECT step, attempt, phase, content FROM events WHERE run = ? AND kind = ? ORDER BY id", (run, kind)
        )
        return [
            (Position(step=step, attempt=attempt, phase=Phase(phase)), json.loads(content))
            for step, attempt, phase, content in rows
        ]

    def _append(self, run: str, position: Position, kind: str, content: dict[str, Any]) -> None:
        number, text = self._count + 1, json.dumps(content, sort_keys=True)
        fields = (number, run, position.step, position.attempt, position.phase.value, kind, text)
        link = _link(self._last, *fields)
        self._write("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*fields, link))
        self._count, self._last = number, link

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.IntegrityError as error:
            raise JournalError(f"{self.path}: expected what is not written yet, got {values[:6]} again") from error
        except sqlite3.OperationalError as error:
            raise self._no_room(error) from error

    def _no_room(self, error: sqlite3.Error) -> Exception:
        return storage_error(self.path, OSError(None, str(error)), _ADVICE)


def _link(before: str, *fields: object) -> str:
    """Return the hash of a row and of the one before it."""
    return hashlib.sha256(json.dumps([before, *fields]).encode()).hexdigest()
