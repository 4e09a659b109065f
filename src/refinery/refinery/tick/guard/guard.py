"""The guard: one decision per tick, a stop that stays, and the only way for a target to leave the node."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from refinery.task import Task
from refinery.tick.guard.bounds import TargetBounds
from refinery.tick.guard.decision import WRENCH_AXES, WRENCH_UNITS, GuardDecision
from refinery.tick.guard.reason import Level, Reason
from refinery.tick.guard.settings import GuardSettings
from refinery.tick.pose import Pose, distance, finite
from refinery.tick.samples import Inputs, PoseSample, RobotMode, RobotSample

_UNUSABLE = (Reason.STATE_TIME_INVALID, Reason.STATE_INVALID)
"""After these the measured pose is not one to hold at."""
_SAMPLES = ("measured pose", "socket estimate", "external wrench", "robot state")

_OK = GuardDecision()
_MODES = {int(mode): mode.name for mode in RobotMode}
_MOVE = int(RobotMode.MOVE)


class Guard:
    """Checks inputs, observations and actions, bounds targets, and latches.

    A tick calls :meth:`begin`, :meth:`check_numbers` for observation and action, and :meth:`command` with the policy's
    target. While the decision is OK, what :meth:`command` returns is finite, inside the workspace and within
    ``control.max_error`` of the measured pose. On hold it is the last measured pose. From a stop on it is the pose
    measured when the stop came, unchanged until :meth:`rearm`.

    Args:
        task: Limits and gains.
        settings: Thresholds.
        tool_from_plug: Plug pose in the tool frame; as intended if None.
    """

    def __init__(self, task: Task, settings: GuardSettings, tool_from_plug: Pose | None = None) -> None:
        self.settings = settings
        self._task = task
        self._max_wrench = task.limits.max_wrench
        self._max_speed_m_s = task.limits.max_speed_m_s
        self._bounds = TargetBounds(task, tool_from_plug)
        self.decision = GuardDecision()
        """The present decision."""
        self.latched = GuardDecision()
        """The worst decision since the last start or re-arm, kept after a hold has passed."""
        self._hold_requested = False
        self._clear_history()

    def _clear_history(self) -> None:
        self._safe: Pose | None = None
        self._safe_s = -math.inf
        self._last: Pose | None = None
        self._stamps = [-math.inf] * len(_SAMPLES)
        self._now_s = -math.inf
        self._clipped_ticks = 0
        self._missed_ticks = 0

    @property
    def armed(self) -> bool:
        """Whether an insertion may start: no stop is latched and nobody has asked to hold."""
        return not self._hold_requested and self.decision.level is not Level.STOP

    def start(self, tool_from_plug: Pose | None = None) -> None:
        """Forget stamps and counts of the last run; a stop or a requested hold stays.

        Args:
            tool_from_plug: Plug pose in the tool frame in the run that starts; as intended if None.
        """
        self._bounds = TargetBounds(self._task, tool_from_plug)
        self._clear_history()
        if self.armed:
            self.decision = self.latched = GuardDecision()

    def begin(self, inputs: Inputs, socket: Pose | None = None, *, missed_deadline: bool = False) -> GuardDecision:
        """Start a tick by checking everything that came in.

        Args:
            inputs: Latest samples and the clock.
            socket: Running mean of the socket estimates so far, if there is one.
            missed_deadline: Whether the last tick took too long or this one starts too late.

        Returns:
            The decision so far.
        """
        if self.decision.level is Level.STOP or self._hold_requested:
            return self.decision
        self.decision = _OK
        self._check_samples(inputs)
        if self.decision.reason not in _UNUSABLE:
            self._check_place(inputs, socket)
            self._check_deadline(missed_deadline)
        return self.decision

    def check_numbers(self, name: str, reason: Reason, values: Sequence[float], size: int) -> bool:
        """Stop unless there are so many numbers, all of them finite; returns whether they are good."""
        if len(values) != size:
            self.stop(reason, f"{name}: expected the shape ({size},), got ({len(values)},)")
            return False
        # A finite sum has finite terms and is found in a tenth of the time, but that of finite terms may overflow.
        if not finite(sum(values)) and not all([finite(value) for value in values]):
            got = np.array2string(np.array(values), precision=3)[:80]
            self.stop(reason, f"{name}: expected finite numbers, got {got}")
            return False
        return True

    def command(self, target: Pose | None, socket: Pose | None) -> Pose:
        """Return the pose to command: the bounded target, or where to hold.

        Args:
            target: The policy's target, base frame; None if there is none this tick.
            socket: Filtered socket estimate, base frame.

        Raises:
            RuntimeError: No measured pose was ever accepted; then nothing may be commanded.
        """
        if self._safe is None:
            raise RuntimeError("the guard has seen no valid measured pose since the start: there is nothing to command")
        if self.decision.level is Level.OK and target is not None and socket is not None:
            bounded = self._bounds.clip(target, self._safe, socket, self._safe if self._last is None else self._last)
            self._clipped_ticks = self._clipped_ticks + 1 if bounded.problem else 0
            if bounded.target is None:
                self.stop(bounded.reason, f"no allowed target: {bounded.problem}")
            elif self._clipped_ticks >= self.settings.clip_stop_ticks:
                self.stop(bounded.reason, f"{bounded.problem}, {self._clipped_ticks} ticks in a row")
            else:
                self._last = bounded.target
                return bounded.target
        self._last = self._safe
        return self._safe

    def stop(self, reason: Reason, message: str) -> None:
        """Stop and latch; the first reason stays."""
        if self.decision.level is not Level.STOP:
            self.decision = self.latched = GuardDecision(level=Level.STOP, reason=reason, message=message)

    def hold(self, reason: Reason, message: str, *, until_rearm: bool = False) -> None:
        """Hold for this tick, or until :meth:`rearm`."""
        self._hold_requested = self._hold_requested or until_rearm
        if self.decision.level is Level.OK:
            self.decision = GuardDecision(level=Level.HOLD, reason=reason, message=message)
            if self.latched.level is Level.OK:
                self.latched = self.decision

    def rearm(self, inputs: Inputs | None) -> GuardDecision:
        """Leave a stop or a requested hold, unless its cause still stands.

        Args:
            inputs: Latest samples, or None if some never arrived.

        Returns:
            OK if armed now, else the decision that a tick would give at once.
        """
        if inputs is None:
            return GuardDecision(
                level=Level.STOP, reason=Reason.STATE_LOST, message="not every topic has a message yet"
            )
        # Where the arm is does not matter here: it may be far from the socket, and a start is checked by itself.
        probe = Guard(self._task, self.settings)
        probe._check_samples(inputs)
        decision = probe.decision
        if decision.level is Level.OK:
            self._hold_requested, self.decision, self.latched = False, GuardDecision(), GuardDecision()
            self._clear_history()
        return decision

    def _check_samples(self, inputs: Inputs) -> None:
        if inputs.wrong_frame:
            self.stop(Reason.STATE_INVALID, inputs.wrong_frame)
        self._check_stamps(inputs)
        self._check_pose("measured pose", inputs.measured)
        self._check_pose("socket estimate", inputs.estimate)
        self.check_numbers("external wrench", Reason.STATE_INVALID, inputs.wrench.wrench, 6)
        if inputs.robot is not None:
            self._check_robot(inputs.robot)
        if self.decision.level is not Level.STOP:
            self._check_ages(inputs)
            self._check_wrench(inputs)

    def _check_stamps(self, inputs: Inputs) -> None:
        now = inputs.now_s
        stamps = [inputs.measured.stamp_s, inputs.estimate.stamp_s, inputs.wrench.stamp_s]
        if inputs.robot is not None:
            stamps.append(inputs.robot.stamp_s)
        # As in check_numbers: the sum first.
        if not finite(now + sum(stamps)) and not (finite(now) and all([finite(stamp) for stamp in stamps])):
            times = dict(zip(_SAMPLES, stamps, strict=False))
            self.stop(Reason.STATE_TIME_INVALID, f"expected finite times, got now={now} and {times}")
            return
        if now < self._now_s:
            self.stop(Reason.STATE_TIME_INVALID, f"the clock went back by {self._now_s - now:.3f} s")
        self._now_s = now
        latest = now + self.settings.future_tolerance_s
        last = self._stamps
        for index in range(len(stamps)):
            stamp = stamps[index]
            if stamp > latest:
                message = f"{_SAMPLES[index]}: its stamp is {stamp - now:.3f} s in the future"
                self.stop(Reason.STATE_TIME_INVALID, message)
            if stamp < last[index]:
                message = f"{_SAMPLES[index]}: its stamp went back by {last[index] - stamp:.3f} s"
                self.stop(Reason.STATE_TIME_INVALID, message)
            last[index] = stamp

    def _check_pose(self, name: str, sample: PoseSample) -> None:
        if sample.is_pose(self.settings.quaternion_tolerance):
            return
        # Something is wrong with it: the rest is to say what.
        pos, quat, reason = sample.pos_m, sample.quat_xyzw, Reason.STATE_INVALID
        if not self.check_numbers(f"{name}, position", reason, pos, 3):
            return
        if self.check_numbers(f"{name}, orientation", reason, quat, 4):
            norm = math.hypot(*quat)
            if not abs(norm - 1.0) <= self.settings.quaternion_tolerance:
                self.stop(reason, f"{name}: expected a quaternion of norm 1, got {norm:.4g}")

    def _check_robot(self, robot: RobotSample) -> None:
        """Stop unless the robot obeys: it never recovers from a reflex here, and nobody moves it against its will."""
        if robot.mode == _MOVE and not robot.errors:
            return
        errors = f" ({', '.join(robot.errors)})" if robot.errors else ""
        if robot.mode == RobotMode.REFLEX:
            self.stop(Reason.REFLEX, f"the robot stopped itself{errors}; find out why, then recover it by hand")
        elif robot.mode == RobotMode.USER_STOPPED:
            self.stop(Reason.USER_STOP, "the robot is under user stop; release it, then re-arm")
        else:
            mode = _MODES.get(robot.mode, f"{robot.mode}, which is none of its modes")
            self.stop(Reason.ROBOT_MODE, f"robot mode: expected MOVE without errors, got {mode}{errors}")

    def _check_ages(self, inputs: Inputs) -> None:
        now, settings = inputs.now_s, self.settings
        # The robot's mode is read less often than its pose: it can be lost, not a little late.
        if inputs.robot is not None:
            age = now - inputs.robot.stamp_s
            if age > settings.stop_age_s:
                self.stop(Reason.STATE_LOST, _too_old("robot state", age, settings.stop_age_s))
        self._check_age("measured pose", now - inputs.measured.stamp_s)
        self._check_age("external wrench", now - inputs.wrench.stamp_s)
        age = now - inputs.estimate.stamp_s
        if age > settings.estimate_age_s:
            self.stop(Reason.SOCKET_ESTIMATE_LOST, _too_old("socket estimate", age, settings.estimate_age_s))

    def _check_age(self, name: str, age: float) -> None:
        """Hold or stop if a part of the state is too old, [s]."""
        if age > self.settings.stop_age_s:
            self.stop(Reason.STATE_LOST, _too_old(name, age, self.settings.stop_age_s))
        elif age > self.settings.hold_age_s:
            self.hold(Reason.STATE_STALE, f"{name}: {age:.3f} s old, expected {self.settings.hold_age_s:.3f} s")

    def _check_wrench(self, inputs: Inputs) -> None:
        fx, fy, fz, tx, ty, tz = inputs.wrench.wrench
        ax, ay, az, bx, by, bz = self._max_wrench
        forces_fit = -ax <= fx <= ax and -ay <= fy <= ay and -az <= fz <= az
        if forces_fit and -bx <= tx <= bx and -by <= ty <= by and -bz <= tz <= bz:
            return
        shares = [abs(value) / limit for value, limit in zip(inputs.wrench.wrench, self._max_wrench, strict=True)]
        worst = shares.index(max(shares))
        got, limit, unit = inputs.wrench.wrench[worst], self._max_wrench[worst], WRENCH_UNITS[worst]
        self.stop(
            Reason.WRENCH_LIMIT, f"external {WRENCH_AXES[worst]}: {got:.3g} {unit}, the limit is {limit:.3g} {unit}"
        )

    def _check_place(self, inputs: Inputs, socket: Pose | None) -> None:
        """Accept the measured pose as one to hold at only near the socket: a garbled pose must not become a target."""
        measured, stamp_s = inputs.measured.pose(), inputs.measured.stamp_s
        if not self._bounds.plug_inside(measured, inputs.estimate.pose() if socket is None else socket):
            self.stop(Reason.OUT_OF_DISTRIBUTION, "the plug is outside the workspace around the socket")
            return
        if not self._check_path(measured, stamp_s):
            return
        self._safe, self._safe_s = measured, stamp_s

    def _check_path(self, measured: Pose, stamp_s: float) -> bool:
        """Stop if the arm cannot have come from the last accepted pose to this one; returns whether it can."""
        safe = self._safe
        if safe is None:
            return True
        jump = distance(measured.xyz_m, safe.xyz_m)
        limit = self.settings.pose_jump_m + self._max_speed_m_s * (stamp_s - self._safe_s)
        if jump > limit:
            self.stop(Reason.STATE_INVALID, f"measured pose jumped by {jump:.3g} m, the limit is {limit:.3g} m")
        return jump <= limit

    def _check_deadline(self, missed: bool) -> None:
        self._missed_ticks = self._missed_ticks + 1 if missed else 0
        if not missed:
            return
        message = f"the policy was late {self._missed_ticks} ticks in a row"
        if self._missed_ticks >= self.settings.deadline_stop_ticks:
            self.stop(Reason.DEADLINE_MISSED, message)
        elif self._missed_ticks >= self.settings.deadline_hold_ticks:
            self.hold(Reason.DEADLINE_MISSED, message)


def _too_old(name: str, age: float, limit: float) -> str:
    return f"{name}: {age:.3f} s old, the limit is {limit:.3f} s"
