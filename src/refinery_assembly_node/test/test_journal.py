"""The journal: what it keeps, what it refuses, and what a full disk does to it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from refinery.errors import DamagedFileError, StorageError
from refinery_assembly_node.journal import Journal, JournalError
from refinery_assembly_node.phase import End, Ended, Phase, Position

FIRST = Position(step=0, attempt=1, phase=Phase.OPEN)
SECOND = Position(step=0, attempt=1, phase=Phase.REACH)
DONE = Ended(end=End.DONE, message="done", data={"depth_m": 0.015})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of one run, with a phase that has ended and one that has not."""
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path, "chain", "a" * 64)
    journal.begin_run("one", 7)
    journal.intend("one", FIRST)
    journal.send("one", FIRST)
    journal.end("one", FIRST, DONE)
    journal.intend("one", SECOND)
    journal.close()
    return path


def opened(path: Path, digest: str = "a" * 64) -> Journal:
    return Journal(path, "chain", digest)


def test_what_was_written_is_there_again(path: Path) -> None:
    journal = opened(path)
    assert journal.runs() == {"one": 7}
    assert journal.results("one") == {FIRST: DONE}
    assert journal.open_intent("one") == (SECOND, [])
    goal = journal.send("one", SECOND)
    again = journal.send("one", SECOND)
    assert journal.open_intent("one") == (SECOND, [goal, again]) and goal != again
    journal.end("one", SECOND, DONE)
    assert journal.open_intent("one") is None
    lines = [json.loads(line) for line in journal.export().splitlines()]
    assert [(line["phase"], line["kind"]) for line in lines][:3] == [
        ("open", "intent"),
        ("open", "goal"),
        ("open", "result"),
    ]
    journal.close()


def test_nothing_is_written_twice(path: Path) -> None:
    journal = opened(path)
    for write in (
        lambda: journal.intend("one", FIRST),
        lambda: journal.end("one", FIRST, DONE),
        lambda: journal.begin_run("one", 8),
    ):
        with pytest.raises(JournalError):
            write()
    # The chain is whole after a refusal.
    journal.end("one", SECOND, DONE)
    journal.close()
    opened(path).close()


def test_another_sequence_is_refused(path: Path) -> None:
    with pytest.raises(JournalError, match="name another journal"):
        opened(path, "b" * 64)
    opened(path).close()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE events SET content = replace(content, 'done', 'failed') WHERE kind = 'result'",
        "DELETE FROM events WHERE id = 2",
        "UPDATE events SET attempt = 2 WHERE id = 4",
        "UPDATE runs SET seed = 8",
        "DELETE FROM header",
        "UPDATE header SET hash = 'b'",
    ],
)
def test_an_edited_journal_is_refused(path: Path, edit: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(edit)
    db.close()
    with pytest.raises((DamagedFileError, JournalError)):
        opened(path)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path, content = tmp_path / "other", b"not a database at all, but long enough to look at" * 9
    path.write_bytes(content)
    with pytest.raises((DamagedFileError, StorageError)):
        opened(path)
    assert path.read_bytes() == content


def test_a_second_process_is_refused_while_the_first_lives(path: Path) -> None:
    program = "import sys, pathlib; from refinery_assembly_node.journal import Journal"
    program += "; Journal(pathlib.Path(sys.argv[1]), 'chain', 'a' * 64)"
    journal = opened(path)
    other = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert other.returncode != 0 and "another process has open" in other.stderr
    journal.close()
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


def test_a_full_disk_is_an_error_and_the_journal_stays_whole(path: Path) -> None:
    journal = opened(path)
    journal._db.execute("PRAGMA max_page_count=1")
    with pytest.raises(StorageError, match="nothing moves"):
        for attempt in range(2, 10_000):
            journal.intend("one", Position(step=0, attempt=attempt, phase=Phase.PLACE))
    count = journal._count
    journal.close()
    again = opened(path)
    assert again._count == count
    again.close()


def test_it_is_written_to_the_disk_before_anything_moves(path: Path) -> None:
    journal = opened(path)
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    journal.close()
