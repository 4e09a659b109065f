"""The wrench of an arm at rest: found on the axis where it matters, and judged only at rest."""

from __future__ import annotations

import numpy as np
import pytest

from refinery.task import Task
from refinery.testing.lagging_cell import LaggingCell
from refinery.testing.samples import changed
from refinery.tick.guard import Level, Reason
from refinery.tick.guard.rest import STILL_M, at_rest, judge_offset, wrench_offset
from refinery.tick.samples import Inputs


def samples(task: Task, wrench: np.ndarray, *, noise_n: float = 1.0, step_m: float = 0.0) -> list[Inputs]:
    cell, rng = LaggingCell(task), np.random.default_rng(0)
    seen = []
    for step in range(9):
        inputs = cell.inputs()
        x, y, z = inputs.measured.pos_m
        moved = changed(inputs.measured, pos_m=(x + step * step_m, y, z))
        force = changed(inputs.wrench, wrench=tuple((wrench + rng.uniform(-noise_n, noise_n, 6)).tolist()))
        seen.append(changed(inputs, measured=moved, wrench=force))
    return seen


@pytest.mark.parametrize("axis", range(6))
def test_the_axis_with_the_largest_share_is_named(task: Task, axis: int) -> None:
    wrench = np.zeros(6)
    wrench[axis] = -0.6 * task.limits.max_wrench[axis]
    offset = wrench_offset(samples(task, wrench, noise_n=0.1), task.limits.max_wrench)
    assert offset.axis == axis
    assert offset.value == pytest.approx(wrench[axis], abs=0.1)
    decision = judge_offset(offset, 0.4)
    assert (decision.level, decision.reason) == (Level.STOP, Reason.WRENCH_OFFSET)
    assert judge_offset(offset, 0.7).level is Level.OK


def test_one_spike_is_no_offset(task: Task) -> None:
    seen = samples(task, np.zeros(6), noise_n=0.0)
    seen[4] = changed(seen[4], wrench=changed(seen[4].wrench, wrench=(100.0,) * 6))
    assert wrench_offset(seen, task.limits.max_wrench).share == 0.0


def test_a_wrench_that_is_no_number_is_left_to_the_guard(task: Task) -> None:
    offset = wrench_offset(samples(task, np.full(6, np.nan)), task.limits.max_wrench)
    assert judge_offset(offset, 0.4).level is Level.OK


def test_an_arm_that_moves_is_not_at_rest(task: Task) -> None:
    assert at_rest(samples(task, np.zeros(6)))
    assert not at_rest(samples(task, np.zeros(6), step_m=STILL_M / 4))
