"""The action ``assemble`` over a cell of plain values: a run that outlives its client is followed by another one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paper_cell import PaperCell, World
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future

from refinery.sequence.sequence import Sequence
from refinery.task import Task
from refinery_assembly_node.assemble_server import AssembleServer
from refinery_assembly_node.command import CommandStoppedError
from refinery_assembly_node.journal import Journal
from refinery_msgs.action import Assemble
from refinery_msgs.msg import Outcome
from refinery_ros.testing.graph import own_domain, spinning_node

pytestmark = pytest.mark.ros
_PATIENCE_S = 30.0


class WaitingCell(PaperCell):
    """Is ready when it is let, and ends when the server says so."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.go = False
        self.server: AssembleServer | None = None

    async def ready(self) -> None:
        while not self.go:
            assert self.server is not None
            await self.server.tick()
            if self.server.stopped:
                raise CommandStoppedError(self.server.stopped, cancelled=True)


class Rig:
    """The server, its cell, and clients."""

    def __init__(self, server: AssembleServer, cell: WaitingCell, client: Node) -> None:
        self.server, self.cell, self.client = server, cell, ActionClient(client, Assemble, "assemble")

    def send(self, run: str) -> Any:
        """Send a goal; returns its handle."""
        assert self.client.wait_for_server(timeout_sec=_PATIENCE_S)
        return self.done(self.client.send_goal_async(Assemble.Goal(run=run, seed=1)))

    def outcome(self, handle: Any) -> Outcome:
        """Wait for the outcome of a goal."""
        outcome: Outcome = self.done(handle.get_result_async()).result.outcome
        return outcome

    def until_followed(self, count: int) -> None:
        """Wait until so many goals have the run's feedback."""
        end_s = time.monotonic() + _PATIENCE_S
        while len(self.server._handles) < count and time.monotonic() < end_s:
            time.sleep(0.01)
        assert len(self.server._handles) == count

    @staticmethod
    def done(future: Future) -> Any:
        """Wait for a future that another thread sets."""
        end_s = time.monotonic() + _PATIENCE_S
        while not future.done() and time.monotonic() < end_s:
            time.sleep(0.01)
        return future.result()


@pytest.fixture
def rig(tmp_path: Path, sequence: Sequence, tasks: dict[str, Task]) -> Iterator[Rig]:
    cell = WaitingCell(World(sequence, tasks))
    with own_domain(), spinning_node("assembly") as node, spinning_node("client") as client:
        node.guarded = lambda _where, callback, _fallback: callback
        # The journal is used in the thread that spins the node.
        made: list[Any] = []

        def resources() -> Any:
            if not made:
                journal = Journal(tmp_path / "journal.sqlite3", sequence.name, sequence.hash())
                made.append(SimpleNamespace(sequence=sequence, tasks=tasks, journal=journal, cell=cell))
            return made[0]

        cell.server = AssembleServer(node, resources)
        yield Rig(cell.server, cell, client)


def test_another_goal_for_the_run_in_progress_follows_it(rig: Rig) -> None:
    first = rig.send("one")
    rig.until_followed(1)
    other, second = rig.send("two"), rig.send("one")
    assert rig.outcome(other).value == Outcome.REFUSED
    assert "--resume one" in rig.outcome(other).message
    rig.until_followed(2)
    rig.cell.go = True
    assert rig.outcome(second).value == rig.outcome(first).value == Outcome.SUCCESS
    assert [what for what, _ in rig.cell.world.log].count("insert") == 2


def test_whoever_follows_a_run_can_cancel_it(rig: Rig) -> None:
    first = rig.send("one")
    rig.until_followed(1)
    second = rig.send("one")
    rig.until_followed(2)
    rig.done(second.cancel_goal_async())
    assert rig.outcome(second).value == rig.outcome(first).value == Outcome.CANCELLED
    assert rig.cell.world.log == []
