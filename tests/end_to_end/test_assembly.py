"""Block and key on the twin through all real nodes; the assembly node is killed on the way and goes on."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from refinery.sequence.sequence import load_sequence
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.assembling.rig import AssemblyRig, assembly_rig
from refinery_msgs.msg import AssemblyStep, Outcome, PartState
from refinery_sim.part import part_geometry
from refinery_sim.task import named_task

pytestmark = pytest.mark.ros
SEED = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("assembly")


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[AssemblyRig]:
    """The cell, with policies that press the plug straight home."""
    for step in load_sequence("block_key").steps:
        task = named_task(step.task)
        tiny_bundle(folder / "bundles" / step.task, task, part=part_geometry(task), name=step.task)
    with assembly_rig("block_key", folder / "bundles", folder, realtime_factor=3.0, seed=SEED) as rig:
        yield rig


def test_a_killed_node_goes_on_and_repeats_nothing(rig: AssemblyRig, folder: Path) -> None:
    for step, phase, later_s in ((0, "insert", 0.7), (1, "release", 0.0)):

        def reached(at: tuple[int, str] = (step, phase)) -> bool:
            return at in rig.phases

        ended = rig.assemble("one", SEED, until=reached)
        assert ended is None, ended
        rig.pause(later_s)
        rig.kill()
        rig.start()
    result = rig.assemble("one", SEED)
    assert result is not None
    assert result.outcome.value == Outcome.SUCCESS, result.outcome.message
    assert [step.state for step in result.steps] == [AssemblyStep.DONE] * 2
    truth = rig.truth()
    assert {name: (part.state, part.seated) for name, part in truth.items()} == dict.fromkeys(
        ("block", "key"), (PartState.RELEASED, True)
    )
    with sqlite3.connect(folder / "journal.sqlite3") as journal:
        rows = journal.execute("SELECT step, attempt, phase FROM events WHERE kind = 'result'").fetchall()
    assert max(Counter(rows).values()) == 1
    assert Counter(phase for _, _, phase in rows)["grasp"] == 2, "a part was picked twice"
    # What is done is done: asked again, nothing moves.
    again = rig.assemble("one", SEED)
    assert again is not None and again.outcome.value == Outcome.SUCCESS and again.duration_s < 1.0


def test_a_goal_for_another_sequence_is_refused(rig: AssemblyRig) -> None:
    result = rig.assemble("other", SEED, sequence="gearbox")
    assert result is not None
    assert result.outcome.value == Outcome.REFUSED and "nothing moved" in result.outcome.message
