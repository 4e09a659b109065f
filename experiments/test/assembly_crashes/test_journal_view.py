"""The journal seen from outside: what was open when a node died, and what servers did twice."""

from __future__ import annotations

from pathlib import Path

from experiments.assembly_crashes.journal_view import done_twice, phases
from refinery_assembly_node.journal import Journal
from refinery_assembly_node.phase import End, Ended, Phase, Position


def written(folder: Path, ends: list[End | None]) -> tuple[Path, list[list[str]]]:
    """Write attempts at one grasp, two goals each; None leaves the last one open."""
    path = folder / "journal.sqlite3"
    journal = Journal(path, "chain", "0" * 64)
    journal.begin_run("one", 7)
    goals = []
    for attempt, end in enumerate(ends, start=1):
        position = Position(step=0, attempt=attempt, phase=Phase.GRASP)
        journal.intend("one", position)
        goals.append([journal.send("one", position) for _ in range(2)])
        if end is not None:
            journal.end("one", position, Ended(end=end, message="so"))
    journal.close()
    return path, goals


def test_an_open_phase_has_no_end(tmp_path: Path) -> None:
    path, goals = written(tmp_path, [End.LOST, None])
    found = phases(path, "one")
    assert [(phase.attempt, phase.phase, phase.end) for phase in found] == [(1, "grasp", "lost"), (2, "grasp", "")]
    assert list(found[1].goals) == goals[1]
    assert phases(path, "two") == [] and phases(tmp_path / "none", "one") == []


def test_two_goals_of_a_grasp_that_both_succeeded_are_named(tmp_path: Path) -> None:
    path, goals = written(tmp_path, [End.DONE])
    found = phases(path, "one")
    assert done_twice(found, {"grasp": {goals[0][0]}}) == []
    assert done_twice(found, {"grasp": set(goals[0])}) == ["step 0, attempt 1: grasp succeeded 2 times"]


def test_a_part_grasped_again_without_having_been_lost_is_named(tmp_path: Path) -> None:
    path, _ = written(tmp_path, [End.DONE, End.DONE])
    assert done_twice(phases(path, "one"), {}) == ["step 0: grasped 2 times, lost 0 times"]
