"""The report and the picture strip of an assembly."""

from __future__ import annotations

import numpy as np

from refinery.rotations import Poses
from refinery.sequence.sequence import load_sequence
from refinery_evaluation.assembling.pictures import Snapshot, strip_png
from refinery_evaluation.assembling.report import report_text
from refinery_msgs.action import Assemble
from refinery_msgs.msg import AssemblyStep, Outcome, PartState
from refinery_sim.part import part_geometry
from refinery_sim.task import named_task

SEQUENCE = load_sequence("block_key")


def test_the_report_tells_the_nodes_word_from_the_truth() -> None:
    steps = [
        AssemblyStep(name="block", part="block", state=AssemblyStep.DONE, attempts=1, depth_m=0.0146),
        AssemblyStep(name="key", part="key", state=AssemblyStep.DONE, attempts=2, depth_m=0.0374),
    ]
    result = Assemble.Result(outcome=Outcome(message="all steps are done"), steps=steps, duration_s=58.0)
    truth = {"block": PartState(seated=True, depth_m=0.015), "key": PartState(seated=False, depth_m=0.02)}
    text = report_text(SEQUENCE, result, truth, seed=1, seconds=90.0)
    assert text.startswith("# block_key: 1 of 2 parts seated")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "done |" in line]
    assert [row[:3] for row in rows] == [["block", "done", "1"], ["key", "done", "2"]]
    assert [row[4:7] for row in rows] == [["14.60", "yes", "15.00"], ["37.40", "no", "20.00"]]


def test_the_strip_shows_where_parts_are_and_only_that() -> None:
    shapes = {step.task: part_geometry(named_task(step.task)) for step in SEQUENCE.steps}
    seats = {part: pose for part, pose in SEQUENCE.nominal_seats().items() if part != "base"}
    up = np.array([0.0, 0.0, 0.3])
    away = {part: Poses(pos_m=pose.pos_m + up, quat_xyzw=pose.quat_xyzw) for part, pose in seats.items()}
    pictures = [strip_png(SEQUENCE, shapes, [Snapshot(title="now", parts=parts)]) for parts in (seats, seats, away)]
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] == pictures[1] != pictures[2]
