"""Whole runs in a cell of plain values: retries, skips, stops, and crashes anywhere."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_cell import BASE, Crash, PaperCell, RefusingCell, World

from refinery.sequence.sequence import Sequence
from refinery.sequence.step import FailureSpec
from refinery.task import Task
from refinery_assembly_node.assembly import Assembly, Verdict
from refinery_assembly_node.command import CommandStoppedError, Insert, MoveTool
from refinery_assembly_node.journal import Journal
from refinery_assembly_node.phase import End, Ended, Phase, Position
from refinery_assembly_node.program import given_up, next_position

PARTS = ["block", "key"]
RUN = "one"


def skipping(sequence: Sequence) -> Sequence:
    """Return the sequence with a last part that may be left out."""
    first, last = sequence.steps
    return dataclasses.replace(sequence, steps=(first, dataclasses.replace(last, on_failure=FailureSpec(then="skip"))))


class Rig:
    """A world and a journal, and processes that run the sequence one after the other."""

    def __init__(self, folder: Path, sequence: Sequence, tasks: dict[str, Task], world: World) -> None:
        self.path, self.sequence, self.tasks, self.world = folder / "journal.sqlite3", sequence, tasks, world

    def run(self, point: Callable[[], None] = lambda: None, cell: PaperCell | None = None) -> Verdict:
        """Run until the end or a crash."""
        journal = Journal(self.path, self.sequence.name, self.sequence.hash())
        # What a power failure leaves is SQLite's affair; without it these tests take a tenth of the time.
        journal._db.execute("PRAGMA synchronous=OFF")
        try:
            if RUN not in journal.runs():
                journal.begin_run(RUN, 7)
            cell = cell or PaperCell(self.world, point)
            for name in ("intend", "send", "end"):
                setattr(journal, name, crashing(getattr(journal, name), point))
            return asyncio.run(Assembly(self.sequence, self.tasks, journal, RUN, cell).run())
        finally:
            journal.close()

    def results(self) -> dict[Position, Ended]:
        journal = Journal(self.path, self.sequence.name, self.sequence.hash())
        try:
            return dict(journal.results(RUN))
        finally:
            journal.close()


def crashing(write: Callable[..., object], point: Callable[[], None]) -> Callable[..., object]:
    """Return a method of the journal before and after which the process may crash."""

    def method(*args: object) -> object:
        point()
        result = write(*args)
        point()
        return result

    return method


def test_every_motion_keeps_clear_of_parts_as_they_sit(
    tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]
) -> None:
    world = World(sequence, tasks)
    cell = PaperCell(world)
    Rig(tmp_path, sequence, tasks, world).run(cell=cell)
    # Reach, lift, place and retreat of both steps; a part that was just let go is still between the fingers.
    assert [sorted(placed) for placed in cell.kept_clear] == [[]] * 4 + [["block"]] * 4
    seat = world.seat_of("block")
    np.testing.assert_allclose(cell.kept_clear[-1]["block"].pos_m, seat.pos_m, atol=1e-9)


def test_a_part_that_slips_out_of_the_jaws_is_an_attempt_and_never_seated(
    tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]
) -> None:
    world = World(sequence, tasks, slips={"key"})
    rig = Rig(tmp_path, sequence, tasks, world)
    verdict = rig.run()
    # The arm ends where a seated part would be, and the policy's node says that it is inserted.
    assert not verdict.complete and world.seated == {"block"}
    ends = {(at.attempt, at.phase): ended.end for at, ended in rig.results().items() if at.step == 1}
    assert ends[1, Phase.INSERT] is End.LOST
    assert ends[2, Phase.GRASP] is End.FAILED, "looked for once more, where it had stood"
    assert not any(phase is Phase.VERIFY for _, phase in ends)
    assert len([what for what, part in world.log if part == "key" and what == "insert"]) == 1


def test_two_parts_are_put_together(tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]) -> None:
    world = World(sequence, tasks)
    cell = PaperCell(world)
    verdict = Rig(tmp_path, sequence, tasks, world).run(cell=cell)
    assert verdict.complete
    assert world.seated == set(PARTS) and world.held is None
    assert world.log == [(what, part) for part in PARTS for what in ("grasp", "insert", "let go in its seat")]
    # The second socket is where the first part sits, not where it should.
    socket, in_base = cell.aims[-1]
    assert not in_base
    np.testing.assert_allclose(socket.pos_m, world.seat_of("key").pos_m, atol=1e-9)
    first, in_base = cell.aims[0]
    assert in_base
    np.testing.assert_allclose((BASE @ first).pos_m, world.seat_of("block").pos_m, atol=1e-9)


def test_a_failed_insertion_is_tried_again_from_another_state(
    tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]
) -> None:
    rig = Rig(tmp_path, sequence, tasks, World(sequence, tasks, insertions={"block": [False]}))
    assert rig.run().complete
    placed = [position for position in rig.results() if position.phase is Phase.PLACE and position.step == 0]
    assert [position.attempt for position in placed] == [1, 2]
    assert rig.world.log[:4] == [
        ("grasp", "block"),
        ("insert", "block"),
        ("insert", "block"),
        ("let go in its seat", "block"),
    ]


def test_a_part_that_does_not_get_in_stops_the_run_and_stays_held(
    tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]
) -> None:
    rig = Rig(tmp_path, sequence, tasks, World(sequence, tasks, insertions={"block": [False] * 5}))
    verdict = rig.run()
    assert not verdict.complete and "'block'" in verdict.message
    assert rig.world.held == "block"
    assert [what for what, _ in rig.world.log] == ["grasp", "insert", "insert"]
    # Asked again, it moves nothing.
    assert rig.run() == verdict and len(rig.world.log) == 3


def test_a_part_may_be_skipped_and_goes_back(tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]) -> None:
    sequence = skipping(sequence)
    rig = Rig(tmp_path, sequence, tasks, World(sequence, tasks, insertions={"key": [False] * 5}))
    assert rig.run().complete
    assert rig.world.log[-1] == ("let go in its tray", "key")
    assert rig.world.seated == {"block"}


@pytest.mark.parametrize("kind", [MoveTool, Insert])
def test_a_stop_leaves_the_run_to_be_gone_on_with(
    tmp_path: Path, sequence: Sequence, tasks: dict[str, Task], kind: type
) -> None:
    rig = Rig(tmp_path, sequence, tasks, World(sequence, tasks))
    with pytest.raises(CommandStoppedError):
        rig.run(cell=RefusingCell(rig.world, kind))
    assert rig.run().complete
    assert rig.world.seated == set(PARTS)


def test_a_part_that_is_gone_is_fetched_again(tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]) -> None:
    rig = Rig(tmp_path, sequence, tasks, World(sequence, tasks))
    with pytest.raises(CommandStoppedError):
        rig.run(cell=RefusingCell(rig.world, Insert))
    rig.world.held, rig.world.width_m = None, 0.0
    assert rig.run().complete
    assert [what for what, part in rig.world.log if part == "block"] == [
        "grasp",
        "grasp",
        "insert",
        "let go in its seat",
    ]


def test_the_order_does_not_depend_on_anything_but_the_results(
    tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]
) -> None:
    rig = Rig(tmp_path, sequence, tasks, World(sequence, tasks, insertions={"key": [False]}))
    rig.run()
    results = list(rig.results().items())
    for count in range(len(results)):
        assert next_position(sequence, dict(results[:count])) == results[count][0]
        assert given_up(sequence, dict(results[:count])) is None


@settings(deadline=None, max_examples=40)
@given(
    crashes=st.lists(st.integers(min_value=0, max_value=60), max_size=6),
    forgetful=st.booleans(),
    failures=st.lists(st.sampled_from(PARTS), max_size=3),
    skip=st.booleans(),
)
def test_crashes_anywhere_repeat_nothing_and_change_no_result(
    sequence: Sequence,
    tasks: dict[str, Task],
    crashes: list[int],
    forgetful: bool,
    failures: list[str],
    skip: bool,
) -> None:
    chain = skipping(sequence) if skip else sequence
    worlds = []
    for plan in ([], crashes):
        planned = {part: [False] * failures.count(part) for part in PARTS}
        world = World(chain, tasks, insertions=planned, forgetful=forgetful)
        with tempfile.TemporaryDirectory() as folder:
            rig = Rig(Path(folder), chain, tasks, world)
            for crash in plan:
                try:
                    rig.run(crash_at(crash))
                except Crash:
                    continue
            verdict = rig.run()
        worlds.append((world, verdict))
    (calm, expected), (shaken, verdict) = worlds
    assert shaken.seated == calm.seated and shaken.held == calm.held
    assert verdict.complete == expected.complete
    assert shaken.log == calm.log


def crash_at(count: int) -> Callable[[], None]:
    """Return what crashes at its call of that number."""
    calls = itertools.count()

    def point() -> None:
        if next(calls) == count:
            raise Crash

    return point
