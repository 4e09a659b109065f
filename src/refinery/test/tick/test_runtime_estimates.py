"""Episodes whose socket estimates go wrong: single ones change nothing, lasting ones stop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from refinery.bundle import Bundle
from refinery.rotations import Poses
from refinery.task import Task
from refinery.testing.lagging_cell import LaggingCell
from refinery.testing.samples import sample
from refinery.tick.guard import Level, Reason
from refinery.tick.outcome import seated
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.samples import Inputs
from refinery.tick.tick_result import TickResult

Off = Callable[[int], tuple[tuple, tuple]]
"""Shift [m] and turn [rad] of the estimate of a tick in the socket's own frame."""
NONE = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def disturbed(inputs: Inputs, shift_m: tuple, turn_rad: tuple) -> Inputs:
    pose = inputs.estimate.pose().batch() @ Poses.from_xyz_rpy(shift_m, turn_rad)
    return inputs.with_estimate(sample(pose, inputs.estimate.stamp_s))


def run(runtime: PolicyRuntime, cell: LaggingCell, off: Off) -> list[TickResult]:
    """Run an episode as the node does: the first tick has the samples that were accepted."""
    inputs = disturbed(cell.inputs(), *off(0))
    decision = runtime.start(inputs, cell.grasp)
    assert decision.level is Level.OK, decision.message
    results = [runtime.tick(inputs)]
    while not results[-1].done:
        cell.follow(results[-1].target)
        results.append(runtime.tick(disturbed(cell.inputs(), *off(len(results)))))
    return results


@pytest.mark.parametrize(
    ("every", "shift_m", "turn_rad"),
    [
        (10, (0.0, 0.0, 0.0), (0.0, 0.0, 0.5)),
        (7, (0.03, 0.0, 0.0), (0.0, 0.0, 0.0)),
        (3, (0.0, 0.0, 0.0), (1.5, 0.0, 0.0)),
    ],
)
def test_outliers_now_and_then_change_nothing(
    bundle: Bundle, task: Task, every: int, shift_m: tuple, turn_rad: tuple
) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task, 3)
    results = run(runtime, cell, lambda tick: (shift_m, turn_rad) if tick % every == every - 1 else NONE)
    assert {result.decision.level for result in results} == {Level.OK}
    assert runtime.estimates.left_out == len(results) // every
    assert runtime.socket is not None
    won, errors = seated(task, runtime.socket.batch(), cell.plug, len(results), runtime.part.symmetry)
    assert won, errors
    np.testing.assert_allclose(runtime.socket.batch().pos_m, cell.socket.pos_m, atol=1e-3)


def test_a_part_turned_to_another_way_round_is_the_same_part(bundle: Bundle, task: Task) -> None:
    assert bundle.part.symmetry == 2
    targets = []
    half = (NONE[0], (0.0, 0.0, np.pi))
    for off in (lambda _: NONE, lambda tick: half if tick % 20 == 19 else NONE, lambda _: half):
        runtime, cell = PolicyRuntime(bundle), LaggingCell(task, 3)
        results = run(runtime, cell, off)
        assert {result.decision.level for result in results} == {Level.OK}
        assert runtime.estimates.left_out == 0
        targets.append(np.concatenate([result.target.batch().pos_m for result in results]))
    np.testing.assert_allclose(targets[1], targets[0], atol=1e-9)
    np.testing.assert_allclose(targets[2], targets[0], atol=1e-9)


@pytest.mark.parametrize("off", [((0.03, 0.0, 0.0), NONE[1]), (NONE[0], (0.0, 0.0, 0.5))])
def test_a_socket_that_is_moved_stops_the_run(bundle: Bundle, task: Task, off: tuple) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task, 3)
    results = run(runtime, cell, lambda tick: off if tick >= 20 else NONE)
    assert len(results) == 20 + runtime.guard.settings.estimate_outlier_ticks
    assert (results[-1].decision.level, results[-1].decision.reason) == (Level.STOP, Reason.SOCKET_ESTIMATE_LOST)
    assert not runtime.guard.armed


@pytest.mark.parametrize("speed", [((0.006, 0.0, 0.0), NONE[1]), (NONE[0], (0.0, 0.0, 0.1))])
def test_an_estimate_that_creeps_away_stops_the_run(bundle: Bundle, task: Task, speed: tuple) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task, 3)
    rate = task.control.policy_rate_hz
    results = run(runtime, cell, lambda tick: tuple(tuple(np.array(each) * tick / rate) for each in speed))
    assert results[-1].decision.reason is Reason.SOCKET_ESTIMATE_LOST
    assert "drifted" in results[-1].decision.message


def test_a_first_estimate_that_contradicts_what_is_known_is_left_out(bundle: Bundle, task: Task) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task, 3)
    known = cell.inputs().estimate
    wrong = disturbed(cell.inputs(), (0.0, 0.0, 0.0), (0.0, 0.0, 0.5))
    assert runtime.start(wrong, cell.grasp, known).level is Level.OK
    runtime.tick(wrong)
    assert runtime.socket is not None
    np.testing.assert_allclose(runtime.socket.batch().quat_xyzw, cell.socket.quat_xyzw, atol=1e-9)
