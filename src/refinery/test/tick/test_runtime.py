"""Episodes without ROS: the policy wins where it can, and no input makes the runtime command something unsafe."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tick.any_inputs import any_inputs

from refinery.bundle import Bundle, ObservationStatistics, load_bundle
from refinery.task import Task
from refinery.testing.bound_checks import check_bounds
from refinery.testing.bundles import constant_policy, recurrent_policy, tiny_bundle
from refinery.testing.lagging_cell import LaggingCell, aged, run_episode
from refinery.testing.samples import changed
from refinery.tick.guard import GuardSettings, Level, Reason
from refinery.tick.outcome import seated
from refinery.tick.recording import Recorder
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.tick_result import TickResult


@pytest.mark.parametrize("seed", range(3))
def test_the_servo_policy_seats_the_plug(bundle: Bundle, task: Task, seed: int) -> None:
    runtime = PolicyRuntime(bundle)
    box = task.initial_state.deployed
    cell = LaggingCell(task, seed, box.uniform(1, np.random.default_rng(seed))[0])
    results = run_episode(runtime, cell)
    assert len(results) == task.control.episode_steps == runtime.steps
    assert {result.decision.level for result in results} == {Level.OK}
    assert runtime.socket is not None
    won, errors = seated(task, runtime.socket.batch(), cell.plug, len(results), runtime.part.symmetry)
    assert won, errors
    assert runtime.times.summary().p50_s > 0


def test_a_policy_that_does_nothing_does_not_win(task: Task, tmp_path: Path) -> None:
    runtime = PolicyRuntime(load_bundle(tiny_bundle(tmp_path / "b", task, constant_policy(np.zeros(6)))))
    cell = LaggingCell(task)
    results = run_episode(runtime, cell)
    assert runtime.socket is not None
    assert not seated(task, runtime.socket.batch(), cell.plug, len(results), runtime.part.symmetry)[0]


def test_the_recurrent_state_starts_anew_with_each_episode(task: Task, tmp_path: Path) -> None:
    runtime = PolicyRuntime(load_bundle(tiny_bundle(tmp_path / "b", task, recurrent_policy())))
    first = []
    for _ in range(2):
        cell = LaggingCell(task)
        runtime.start(cell.inputs())
        result = runtime.tick(cell.inputs())
        assert result.action is not None
        first.append(result.action[0])
    assert first == [pytest.approx(0.1)] * 2


def test_a_start_outside_the_box_is_refused(bundle: Bundle, task: Task) -> None:
    runtime = PolicyRuntime(bundle)
    box = task.initial_state.deployed
    theta = (box.low + box.high) / 2
    theta[1] = box.high[1] + 0.02
    decision = runtime.start(LaggingCell(task, 0, theta).inputs())
    assert (decision.level, decision.reason) == (Level.STOP, Reason.OUT_OF_DISTRIBUTION)
    assert re.fullmatch(r".*: y = [\d.]+ mm, expected -[\d.]+ to [\d.]+ mm", decision.message)
    assert runtime.guard.armed
    with pytest.raises(RuntimeError, match="before start"):
        runtime.tick(LaggingCell(task).inputs())


def test_a_grasp_outside_the_box_is_refused(bundle: Bundle, task: Task) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task)
    decision = runtime.start(cell.inputs(), np.array([[0.0, 0.0, 0.25]]))
    assert (decision.level, decision.reason) == (Level.STOP, Reason.OUT_OF_DISTRIBUTION)
    assert "grasp_pitch = 14.3 deg, expected -11.5 to 11.5 deg" in decision.message
    # The tool looks down: pitch in the hand is pitch the other way in the socket frame.
    assert runtime.start(cell.inputs(), np.array([[0.0, 0.0, 0.2]])).level is Level.OK
    assert runtime.tick(cell.inputs()).observation[0, 7] == pytest.approx(-2.0, abs=1e-3)
    assert runtime.start(cell.inputs()).level is Level.OK, "the grasp is that of one episode"
    assert runtime.tick(cell.inputs()).observation[0, 7] == pytest.approx(0.0, abs=1e-3)


def test_a_stop_in_the_middle_freezes_the_target_and_refuses_the_next_start(bundle: Bundle, task: Task) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task)
    runtime.start(cell.inputs())
    for _ in range(10):
        cell.follow(runtime.tick(cell.inputs()).target)
    cell.now_s += 0.2
    result = runtime.tick(aged(cell.inputs(), measured=0.15))
    assert result.done
    assert result.decision.reason is Reason.STATE_LOST
    assert result.observation is None
    assert runtime.start(cell.inputs()).reason is Reason.STATE_LOST
    assert runtime.guard.rearm(cell.inputs()).level is Level.OK
    assert runtime.start(LaggingCell(task).inputs()).level is Level.OK


def test_a_hold_pauses_the_policy_at_the_measured_pose(bundle: Bundle, task: Task) -> None:
    runtime = PolicyRuntime(bundle, GuardSettings.for_task(task, hold_age_s=0.05))
    cell = LaggingCell(task)
    runtime.start(cell.inputs())
    for _ in range(5):
        cell.follow(runtime.tick(cell.inputs()).target)
    held = runtime.tick(aged(cell.inputs(), measured=0.06))
    assert held.decision.level is Level.HOLD
    np.testing.assert_allclose(held.target.xyz_m, cell.tool.pos_m[0])
    cell.now_s += runtime.period_s
    assert runtime.tick(cell.inputs()).decision.level is Level.OK


def test_ticks_that_start_late_count_as_missed(bundle: Bundle, task: Task) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task)
    runtime.start(cell.inputs())
    levels = []
    for _ in range(7):
        levels.append(runtime.tick(cell.inputs(), late_s=0.1).decision.level)
        cell.now_s += runtime.period_s
    assert levels == [Level.OK] * 2 + [Level.HOLD] * 3 + [Level.STOP] * 2
    assert runtime.times.summary().misses == 7


def test_a_policy_that_turns_to_nan_stops(task: Task, tmp_path: Path) -> None:
    """``0 * inf``: finite for the zero observation of the loader, NaN for a real one."""
    from refinery.observation import OBSERVATION_SIZE
    from refinery.testing.bundles import linear_policy

    weight = np.full((OBSERVATION_SIZE, 6), 3e38)
    weight[:, 1::2] *= -1
    weight[::2] *= -1
    runtime = PolicyRuntime(load_bundle(tiny_bundle(tmp_path / "b", task, linear_policy(weight, np.zeros(6)))))
    cell = LaggingCell(task, 0, np.array([0.009, 0.008, 0.035, 0.1, 0.1, 0.1, 0, 0, 0]))
    runtime.start(cell.inputs())
    decision = runtime.tick(cell.inputs()).decision
    assert decision.level is Level.OK or decision.reason is Reason.ACTION_INVALID


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("action", [np.zeros(6), np.ones(6), np.array([1, -1, 1, -1, 1, -1]), None])
def test_no_input_makes_a_command_unsafe(
    policies: dict[str, PolicyRuntime], task: Task, action: np.ndarray | None, data: st.DataObject
) -> None:
    runtime = policies[str(action)]
    box = task.initial_state.deployed
    theta = data.draw(arrays(float, 9, elements=st.floats(0, 1)), label="start")
    cell = LaggingCell(task, data.draw(st.integers(0, 99), label="seed"), box.low + theta * (box.high - box.low))
    assert runtime.guard.rearm(cell.inputs()).level is Level.OK
    assert runtime.start(cell.inputs(), cell.grasp).level is Level.OK
    stopped: TickResult | None = None
    for _ in range(data.draw(st.integers(1, 12), label="ticks")):
        inputs = data.draw(any_inputs(cell), label="inputs")
        late_s = data.draw(st.sampled_from([0.0, 0.0, 0.2, float("nan")]), label="late")
        with np.errstate(all="ignore"):
            result = runtime.tick(inputs, late_s=late_s)
        target = result.target
        assert len(target.xyz_m) == 3 and len(target.xyzw) == 4
        assert np.all(np.isfinite(target.xyz_m)) and np.all(np.isfinite(target.xyzw))
        if stopped is not None:
            assert target.xyz_m == stopped.target.xyz_m and target.xyzw == stopped.target.xyzw
            assert result.decision == stopped.decision
        elif result.decision.level is Level.OK:
            assert runtime.socket is not None
            plug = task.plug.tool_from_plug_at(cell.grasp)
            check_bounds(task, target.batch(), inputs.measured.pose().batch(), runtime.socket.batch(), plug)
        else:
            # Hold and stop: where the arm was measured last, never further than one period's motion away.
            near = np.abs(target.xyz_m - cell.tool.pos_m[0])
            assert np.all(near < 0.15)
            assert result.decision.reason is not Reason.NONE and result.decision.message
        if result.decision.level is Level.STOP and stopped is None:
            stopped = result
            assert result.done
        cell.follow(target)


@pytest.fixture(scope="module")
def policies(task: Task, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PolicyRuntime]:
    """One runtime for each policy of the property test; None is the servo."""
    made = {str(None): PolicyRuntime(bundle)}
    for action in (np.zeros(6), np.ones(6), np.array([1, -1, 1, -1, 1, -1])):
        path = tiny_bundle(tmp_path_factory.mktemp("b") / "b", task, constant_policy(action))
        made[str(action)] = PolicyRuntime(load_bundle(path))
    return made


def _envelope_of(observations: np.ndarray, margin: float) -> ObservationStatistics:
    """Bounds around observations (n, N), and a distance that says nothing."""
    size = observations.shape[1]
    low, high = observations.min(axis=0) - margin, observations.max(axis=0) + margin
    return ObservationStatistics(
        low=low,
        high=high,
        mean=(low + high) / 2,
        std=np.ones(size),
        whitening=np.eye(size),
        max_distance=1e3,
        ticks=3,
    )


def _episode(runtime: PolicyRuntime, cell: LaggingCell, *, moves: bool = True) -> list[TickResult]:
    """Run an episode whose first tick sees what its start saw; the arm follows or stays."""
    inputs, results = cell.inputs(), []
    assert runtime.start(inputs, cell.grasp).level is Level.OK
    while not results or not results[-1].done:
        results.append(runtime.tick(inputs))
        cell.follow(results[-1].target, share=0.6 if moves else 0.0)
        inputs = cell.inputs()
    return results


def _seen(bundle: Bundle, task: Task) -> np.ndarray:
    """Observations of an episode, copied by a recorder: the policy reads all of them from one array."""
    runtime = PolicyRuntime(bundle)
    runtime.recorder = Recorder(task.hash(), runtime.policy.observation_size)
    _episode(runtime, LaggingCell(task, 0))
    return runtime.recorder.recording().observation


def test_observations_the_policy_never_saw_stop_the_run(bundle: Bundle, task: Task) -> None:
    known = dataclasses.replace(bundle, envelope=_envelope_of(_seen(bundle, task), margin=1e-3))
    assert {r.decision.level for r in _episode(PolicyRuntime(known), LaggingCell(task, 0))} == {Level.OK}
    results = _episode(PolicyRuntime(known), LaggingCell(task, 0), moves=False)
    assert results[-1].decision.reason is Reason.OUT_OF_DISTRIBUTION
    assert "3 ticks in a row" in results[-1].decision.message
    assert 3 <= len(results) < task.control.episode_steps


def test_a_first_observation_the_policy_never_saw_is_refused(bundle: Bundle, task: Task) -> None:
    elsewhere = dataclasses.replace(bundle, envelope=_envelope_of(_seen(bundle, task) + 5.0, margin=0.1))
    runtime = PolicyRuntime(elsewhere)
    decision = runtime.start(LaggingCell(task, 0).inputs())
    assert decision.reason is Reason.OUT_OF_DISTRIBUTION and "never seen in the policy's evaluation" in decision.message
    assert runtime.guard.armed


def test_a_measured_pose_that_jumps_stops_the_run(bundle: Bundle, task: Task) -> None:
    runtime, cell = PolicyRuntime(bundle), LaggingCell(task)
    runtime.start(cell.inputs())
    cell.follow(runtime.tick(cell.inputs()).target)
    inputs = cell.inputs()
    x, y, z = inputs.measured.pos_m
    result = runtime.tick(changed(inputs, measured=changed(inputs.measured, pos_m=(x, y + 0.03, z))))
    assert result.decision.reason is Reason.STATE_INVALID and "jumped by 0.0" in result.decision.message
