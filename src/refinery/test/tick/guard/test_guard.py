"""Every row of the guard's table, injected; and what must hold for any input whatever."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from refinery.task import Task
from refinery.testing.lagging_cell import LaggingCell, aged
from refinery.testing.samples import changed
from refinery.tick.guard import Guard, GuardSettings, Level, Reason
from refinery.tick.pose import Pose
from refinery.tick.samples import Inputs, RobotMode, RobotSample

Change = Callable[[Inputs], Inputs]


def with_measured(**changes: object) -> Change:
    return lambda i: changed(i, measured=changed(i.measured, **changes))


def with_estimate(**changes: object) -> Change:
    return lambda i: changed(i, estimate=changed(i.estimate, **changes))


def with_wrench(**changes: object) -> Change:
    return lambda i: changed(i, wrench=changed(i.wrench, **changes))


def with_robot(mode: int = RobotMode.MOVE, errors: tuple[str, ...] = (), age_s: float = 0.0) -> Change:
    return lambda i: changed(i, robot=RobotSample(mode=mode, errors=errors, stamp_s=i.now_s - age_s))


nan, inf = float("nan"), float("inf")
STOPS: dict[str, tuple[Change, Reason, str]] = {
    "state lost": (lambda i: aged(i, measured=0.3), Reason.STATE_LOST, "measured pose: 0.300 s old"),
    "wrench lost": (lambda i: aged(i, wrench=0.3), Reason.STATE_LOST, "external wrench: 0.300 s old"),
    "estimate lost": (lambda i: aged(i, estimate=0.6), Reason.SOCKET_ESTIMATE_LOST, "socket estimate: 0.600 s old"),
    "stamp ahead": (lambda i: aged(i, measured=-0.1), Reason.STATE_TIME_INVALID, "0.100 s in the future"),
    "stamp back": (lambda i: aged(i, measured=1.05), Reason.STATE_TIME_INVALID, "went back by"),
    "clock back": (lambda i: changed(i, now_s=i.now_s - 2), Reason.STATE_TIME_INVALID, "clock went back"),
    "stamp nan": (with_measured(stamp_s=nan), Reason.STATE_TIME_INVALID, "finite times"),
    "position nan": (with_measured(pos_m=(0.5, nan, 0.1)), Reason.STATE_INVALID, "measured pose, position"),
    "position shape": (with_measured(pos_m=(0.0, 0.0)), Reason.STATE_INVALID, r"expected the shape \(3,\)"),
    "quaternion": (with_measured(quat_xyzw=(0.0, 1.1, 0.0, 0.0)), Reason.STATE_INVALID, "norm 1, got 1.1"),
    "quaternion zero": (with_measured(quat_xyzw=(0.0,) * 4), Reason.STATE_INVALID, "norm 1, got 0"),
    "estimate inf": (with_estimate(pos_m=(inf, 0.0, 0.0)), Reason.STATE_INVALID, "socket estimate, position"),
    "wrench nan": (with_wrench(wrench=(nan,) * 6), Reason.STATE_INVALID, "external wrench"),
    "force": (with_wrench(wrench=(0.0, 0.0, -100.0, 0.0, 0.0, 0.0)), Reason.WRENCH_LIMIT, "force z: -100 N"),
    "torque": (with_wrench(wrench=(0.0, 0.0, 0.0, 9.0, 0.0, 0.0)), Reason.WRENCH_LIMIT, "torque x: 9 Nm"),
    "reflex": (with_robot(RobotMode.REFLEX, ("joint_reflex",)), Reason.REFLEX, r"stopped itself \(joint_reflex\)"),
    "user stop": (with_robot(RobotMode.USER_STOPPED), Reason.USER_STOP, "under user stop"),
    "idle": (with_robot(RobotMode.IDLE), Reason.ROBOT_MODE, "expected MOVE without errors, got IDLE"),
    "guiding": (with_robot(RobotMode.GUIDING), Reason.ROBOT_MODE, "got GUIDING"),
    "unknown mode": (with_robot(77), Reason.ROBOT_MODE, "got 77, which is none of its modes"),
    "error in motion": (with_robot(errors=("self_collision",)), Reason.ROBOT_MODE, r"got MOVE \(self_collision\)"),
    "robot lost": (with_robot(age_s=0.3), Reason.STATE_LOST, "robot state: 0.300 s old"),
    "robot stamp ahead": (with_robot(age_s=-0.1), Reason.STATE_TIME_INVALID, "robot state: its stamp is 0.100 s in"),
    "arm elsewhere": (with_measured(pos_m=(0.3, 0.3, 0.5)), Reason.OUT_OF_DISTRIBUTION, "outside"),
    "arm absurd": (with_measured(pos_m=(1e300, 0.0, 0.0)), Reason.OUT_OF_DISTRIBUTION, "outside"),
}


@pytest.fixture
def cell(task: Task) -> LaggingCell:
    return LaggingCell(task)


@pytest.fixture
def guard(task: Task, cell: LaggingCell) -> Guard:
    """A guard that has seen one good tick, a second ago."""
    guard = Guard(task, GuardSettings.for_task(task))
    assert guard.begin(cell.inputs()).level is Level.OK
    guard.command(Pose.of(cell.tool), Pose.of(cell.socket))
    cell.now_s += 1.0
    return guard


@pytest.mark.parametrize("what", STOPS)
def test_every_fault_stops_with_its_reason_and_latches(guard: Guard, cell: LaggingCell, what: str) -> None:
    change, reason, sentence = STOPS[what]
    safe = cell.tool
    decision = guard.begin(change(cell.inputs()), Pose.of(cell.socket))
    assert (decision.level, decision.reason) == (Level.STOP, reason)
    assert re.search(sentence, decision.message)
    assert not guard.armed
    moved = LaggingCell(cell.task, 0, np.array([0.005, 0.005, 0.03, 0, 0, 0, 0, 0, 0]))
    moved.now_s = cell.now_s + 0.066
    for _ in range(3):
        assert guard.begin(moved.inputs(), Pose.of(cell.socket)) == decision
        held = guard.command(Pose.of(moved.tool), Pose.of(cell.socket))
        np.testing.assert_allclose(held.xyz_m, safe.pos_m[0], atol=1e-12)
        moved.now_s += 0.066
    guard.start()
    assert guard.decision == decision
    refusal = guard.rearm(change(cell.inputs()))
    stands = what not in ("arm elsewhere", "arm absurd")
    assert (refusal.level is Level.STOP) == stands
    assert guard.armed != stands
    assert guard.rearm(moved.inputs()).level is Level.OK
    assert guard.armed
    assert guard.decision.reason is Reason.NONE


def test_a_stale_state_holds_and_passes(task: Task, cell: LaggingCell) -> None:
    guard = Guard(task, GuardSettings.for_task(task, hold_age_s=0.05))
    guard.begin(cell.inputs())
    cell.now_s += 0.066
    decision = guard.begin(aged(cell.inputs(), measured=0.06), Pose.of(cell.socket))
    assert (decision.level, decision.reason) == (Level.HOLD, Reason.STATE_STALE)
    np.testing.assert_allclose(guard.command(None, Pose.of(cell.socket)).xyz_m, cell.tool.pos_m[0])
    cell.now_s += 0.066
    assert guard.begin(cell.inputs(), Pose.of(cell.socket)).level is Level.OK
    assert guard.latched.reason is Reason.STATE_STALE


def test_below_20_hz_the_stop_comes_before_the_hold(task: Task) -> None:
    settings = GuardSettings.for_task(task)
    assert settings.hold_age_s == pytest.approx(2 / 15)
    assert settings.stop_age_s < settings.hold_age_s


def test_late_ticks_hold_then_stop(guard: Guard, cell: LaggingCell) -> None:
    levels = []
    for _ in range(8):
        levels.append(guard.begin(cell.inputs(), Pose.of(cell.socket), missed_deadline=True).level)
        cell.now_s += 0.066
    assert levels == [Level.OK] * 2 + [Level.HOLD] * 3 + [Level.STOP] * 3
    assert guard.latched.reason is Reason.DEADLINE_MISSED


def test_one_tick_in_time_forgives_the_late_ones(guard: Guard, cell: LaggingCell) -> None:
    for late in [True, True, False] * 5:
        assert guard.begin(cell.inputs(), Pose.of(cell.socket), missed_deadline=late).level is Level.OK
        cell.now_s += 0.066


def test_targets_clipped_for_too_long_stop(guard: Guard, cell: LaggingCell) -> None:
    x, y, z = Pose.of(cell.tool).xyz_m
    far = Pose((x + 0.1, y, z), Pose.of(cell.tool).xyzw)
    for tick in range(5):
        guard.begin(cell.inputs(), Pose.of(cell.socket))
        target = guard.command(far, Pose.of(cell.socket))
        assert (guard.decision.level is Level.STOP) == (tick == 4)
        cell.now_s += 0.066
    assert guard.decision.reason in (Reason.TARGET_STEP, Reason.TARGET_SPEED)
    assert "5 ticks in a row" in guard.decision.message
    np.testing.assert_allclose(target.xyz_m, cell.tool.pos_m[0])


def test_a_requested_hold_lasts_until_rearm(guard: Guard, cell: LaggingCell) -> None:
    guard.hold(Reason.CANCELLED, "somebody asked", until_rearm=True)
    guard.start()
    assert not guard.armed
    assert guard.begin(cell.inputs(), Pose.of(cell.socket)).level is Level.HOLD
    assert guard.rearm(cell.inputs()).level is Level.OK
    assert guard.armed


def test_rearm_without_messages_is_refused(guard: Guard) -> None:
    guard.stop(Reason.WRENCH_LIMIT, "too much")
    assert guard.rearm(None).level is Level.STOP
    assert not guard.armed


def test_nothing_is_commanded_before_a_valid_pose(task: Task) -> None:
    guard = Guard(task, GuardSettings.for_task(task))
    with pytest.raises(RuntimeError, match="nothing to command"):
        guard.command(None, None)


@pytest.mark.parametrize("name", ["hold_age_s", "stop_age_s", "deadline_s", "clip_stop_ticks", "quaternion_tolerance"])
def test_settings_out_of_range_are_refused(task: Task, name: str) -> None:
    with pytest.raises(Exception, match=name):
        GuardSettings.for_task(task, **{name: 0})


@pytest.mark.ros
def test_reasons_and_levels_mirror_the_messages() -> None:
    from refinery_msgs.msg import GuardReason

    values = {name: getattr(GuardReason, name) for name in dir(GuardReason) if name.isupper()}
    named = {name: value for name, value in values.items() if isinstance(value, int)}
    assert {reason.name: int(reason) for reason in Reason} == named


def test_a_robot_that_obeys_is_let_through_and_one_without_a_state_too(guard: Guard, cell: LaggingCell) -> None:
    assert guard.begin(with_robot()(cell.inputs())).level is Level.OK
    assert guard.begin(cell.inputs()).level is Level.OK


def test_a_reflex_stands_in_the_way_of_arming_until_it_is_gone(guard: Guard, cell: LaggingCell) -> None:
    guard.begin(with_robot(RobotMode.REFLEX)(cell.inputs()))
    assert guard.rearm(with_robot(RobotMode.REFLEX)(cell.inputs())).reason is Reason.REFLEX
    assert not guard.armed
    assert guard.rearm(with_robot()(cell.inputs())).level is Level.OK and guard.armed
