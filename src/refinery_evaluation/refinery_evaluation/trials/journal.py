"""What happened in an evaluation, in an sqlite file: appended to, never changed, safe against a kill at any moment.

Before a trial moves anything a row says that it begins; after it another says how it ended. A beginning without an end
is an attempt that was interrupted: it is counted, and the trial is run again on the same cell.
"""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from refinery.errors import ConfigError, DamagedFileError
from refinery.storage import storage_error
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.report.data_io import trial_from_json, without_nan
from refinery_evaluation.trials.design import PlannedTrial

JOURNAL = "journal.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sitting (id INTEGER PRIMARY KEY, began TEXT NOT NULL, who TEXT NOT NULL,
  about TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS began (number INTEGER, attempt INTEGER, sitting INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (number, attempt));
CREATE TABLE IF NOT EXISTS ended (number INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, at TEXT NOT NULL,
  seconds REAL NOT NULL, record TEXT NOT NULL, bag TEXT NOT NULL,
  FOREIGN KEY (number, attempt) REFERENCES began (number, attempt));
CREATE TABLE IF NOT EXISTS verdict (number INTEGER PRIMARY KEY REFERENCES ended (number), success INTEGER NOT NULL,
  who TEXT NOT NULL, at TEXT NOT NULL);
"""
_DESIGN, _UNBLINDED = "design_hash", "unblinded"


@dataclass(frozen=True, kw_only=True)
class DoneTrial:
    """A trial that ran to its end."""

    planned: PlannedTrial
    """Its place in the design."""
    attempt: int
    """1, or more where earlier attempts were interrupted."""
    record: TrialRecord
    """What the machine knows of it."""
    verdict: bool | None
    """Of a person, by the code only; None where nobody was asked."""
    who: str
    """Who gave the verdict."""
    seconds: float
    """Wall time, [s]."""
    bag: str
    """Its recording, relative to the evaluation's folder; empty if there is none."""

    @property
    def success(self) -> bool:
        """The verdict that counts: the person's, else the machine's."""
        return self.record.strict if self.verdict is None else self.verdict


class Journal:
    """The journal of one evaluation.

    Args:
        folder: The evaluation's folder.
        design_hash: Noted before the first trial and compared ever after.

    Raises:
        ConfigError: The journal is of another design.
        DamagedFileError: The file is no journal.
        StorageError: It cannot be written.
    """

    def __init__(self, folder: Path, design_hash: str) -> None:
        self._path = folder / JOURNAL
        with self._guarded():
            self._rows = sqlite3.connect(self._path, isolation_level=None)
            self._rows.execute("PRAGMA journal_mode=WAL")
            # The default of some builds loses the last rows in a power cut.
            self._rows.execute("PRAGMA synchronous=FULL")
            self._rows.execute("PRAGMA foreign_keys=ON")
            self._rows.executescript(_SCHEMA)
            self._rows.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (_DESIGN, design_hash))
        noted = self._about(_DESIGN)
        if noted != design_hash:
            self.close()
            raise ConfigError(
                self._path, _DESIGN, noted, design_hash, "the plan is not the one these trials were run by"
            )
        self._sitting = 0

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def begin_sitting(self, about: dict[str, Any]) -> None:
        """Note that somebody goes on, with which versions and on which machine."""
        with self._guarded():
            row = (_now(), getpass.getuser(), json.dumps(without_nan(about)))
            found = self._rows.execute("INSERT INTO sitting (began, who, about) VALUES (?, ?, ?)", row)
            self._sitting = int(found.lastrowid or 0)

    def begin(self, number: int) -> int:
        """Note that a trial begins, before anything moves; returns which attempt this is, from 1."""
        with self._guarded():
            (before,) = self._rows.execute("SELECT COUNT(*) FROM began WHERE number = ?", (number,)).fetchone()
            row = (number, before + 1, self._sitting, _now())
            self._rows.execute("INSERT INTO began VALUES (?, ?, ?, ?)", row)
        return int(before) + 1

    def end(self, number: int, attempt: int, record: TrialRecord, *, seconds: float, bag: str = "") -> None:
        """Note how a trial ended."""
        text = json.dumps(without_nan(dataclasses.asdict(record)))
        with self._guarded():
            row = (number, attempt, _now(), seconds, text, bag)
            self._rows.execute("INSERT INTO ended VALUES (?, ?, ?, ?, ?, ?)", row)

    def judge(self, number: int, success: bool, who: str) -> None:
        """Note a person's verdict on a trial that ended; it cannot be changed."""
        with self._guarded():
            self._rows.execute("INSERT INTO verdict VALUES (?, ?, ?, ?)", (number, int(success), who, _now()))

    def unblind(self) -> None:
        """Note that the codes were uncovered: no more trials are run from then on."""
        with self._guarded():
            row = (_UNBLINDED, f"{_now()} {getpass.getuser()}")
            self._rows.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", row)

    @property
    def unblinded(self) -> str:
        """When and by whom the codes were uncovered; empty if they were not."""
        return self._about(_UNBLINDED)

    @property
    def sittings(self) -> list[dict[str, Any]]:
        """When, by whom and with what trials were run, in order."""
        found = self._rows.execute("SELECT began, who, about FROM sitting ORDER BY id").fetchall()
        return [{"began": began, "who": who, **json.loads(about)} for began, who, about in found]

    def done(self, trials: tuple[PlannedTrial, ...]) -> list[DoneTrial]:
        """Return the trials that ended, in the order of the design."""
        found = self._rows.execute(
            "SELECT e.number, e.attempt, e.record, e.seconds, e.bag, v.success, v.who"
            " FROM ended e LEFT JOIN verdict v ON v.number = e.number ORDER BY e.number"
        ).fetchall()
        return [
            DoneTrial(
                planned=trials[number],
                attempt=attempt,
                record=trial_from_json(json.loads(text)),
                verdict=None if success is None else bool(success),
                who=who or "",
                seconds=seconds,
                bag=bag,
            )
            for number, attempt, text, seconds, bag, success, who in found
        ]

    def interrupted(self) -> dict[int, int]:
        """Return how many attempts of each trial were interrupted, where any was."""
        found = self._rows.execute(
            "SELECT b.number, COUNT(*) FROM began b LEFT JOIN ended e ON e.number = b.number AND e.attempt = b.attempt"
            " WHERE e.number IS NULL GROUP BY b.number"
        ).fetchall()
        return dict(found)

    def _about(self, name: str) -> str:
        row = self._rows.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise storage_error(self._path, OSError(0, str(error))) from error
        except sqlite3.IntegrityError as error:
            raise ConfigError(self._path, "row", "one that is not there yet", str(error), "") from error
        except sqlite3.DatabaseError as error:
            raise DamagedFileError(f"{self._path}: expected a journal, got {error}; move it away") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
