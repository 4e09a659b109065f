"""Block and key on the twin through all real nodes; the assembly node is killed on the way and goes on."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from refinery.sequence.bundles import shipped_bundles
from refinery_evaluation.assembling.rig import AssemblyRig, assembly_rig
from refinery_msgs.action import Assemble
from refinery_msgs.msg import AssemblyStep, Outcome, PartState

pytestmark = pytest.mark.ros
SEED = 3
RUNS = itertools.count()
GOES = 4
"""A stopped run goes on with the next goal; as often as this is enough."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assembly")


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[AssemblyRig]:
    """The cell, with the shipped policies."""
    with assembly_rig("block_key", shipped_bundles(), folder, realtime_factor=2.0, seed=SEED) as rig:
        yield rig


@pytest.fixture
def run(rig: AssemblyRig) -> str:
    """A run of its own with all parts in their trays: a second attempt goes on with nothing of the first."""
    rig.reset(SEED)
    return f"run_{next(RUNS)}"


def gone_on(rig: AssemblyRig, run: str, until: Callable[[], bool] = lambda: False) -> Assemble.Result | None:
    """Begin the run or go on with it, as often as an answer is lost or late on a machine that runs other tests."""
    for _ in range(GOES):
        result = rig.assemble(run, SEED, until=until)
        if result is None or result.outcome.value != Outcome.STOPPED:
            return result
    return result


def test_a_killed_node_goes_on_and_repeats_nothing(rig: AssemblyRig, run: str, folder: Path) -> None:
    for step, phase, later_s in ((0, "insert", 0.7), (1, "release", 0.0)):

        def reached(at: tuple[int, str] = (step, phase)) -> bool:
            return at in rig.phases

        ended = gone_on(rig, run, until=reached)
        assert ended is None, ended
        rig.pause(later_s)
        rig.kill()
        rig.start()
    result = gone_on(rig, run)
    assert result is not None
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
    assert [step.state for step in result.steps] == [AssemblyStep.DONE] * 2
    truth = rig.truth()
    assert {name: (part.state, part.seated) for name, part in truth.items()} == dict.fromkeys(
        ("block", "key"), (PartState.RELEASED, True)
    )
    with sqlite3.connect(folder / "journal.sqlite3") as journal:
        query = "SELECT step, attempt, phase FROM events WHERE kind = 'result' AND run = ?"
        rows = journal.execute(query, (run,)).fetchall()
    assert max(Counter(rows).values()) == 1
    assert Counter(phase for _, _, phase in rows)["grasp"] == 2, "a part was picked twice"
    # What is done is done: asked again, nothing moves.
    again = rig.assemble(run, SEED)
    assert again is not None and again.outcome.value == Outcome.SUCCESS and again.duration_s < 1.0


def test_a_goal_for_another_sequence_is_refused(rig: AssemblyRig) -> None:
    result = rig.assemble("other", SEED, sequence="gearbox")
    assert result is not None
    assert result.outcome.value == Outcome.REFUSED and "nothing moved" in result.outcome.message
