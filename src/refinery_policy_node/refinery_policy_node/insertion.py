"""One insertion from hand-over to hand-back, advanced by a timer in the node's clock."""

from __future__ import annotations

import contextlib
import gc
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future
from rclpy.timer import Timer

from refinery.centring import CentringProbe, HoleCentre
from refinery.success import PlugOffset, plug_offset
from refinery.tick.diagnosis import Diagnosis, diagnose
from refinery.tick.guard import GuardDecision, Level
from refinery.tick.interpolator import TargetInterpolator
from refinery.tick.outcome import seated
from refinery.tick.pose import Pose
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.samples import Inputs
from refinery_msgs.msg import Outcome
from refinery_policy_node.tick_publisher import TickPublisher
from refinery_policy_node.topics import RobotTopics

_FEEDBACK_HZ = 50.0
_RATE_OVER_S = 1.0


class Phase(Enum):
    """Phase of an insertion."""

    HANDOVER = "the measured pose is commanded, the policy has not started"
    RUN = "the policy runs"
    SETTLE = "the last target is kept for one more period, as in training"
    FEEL = "the seated plug is pushed against the walls of the hole"
    DONE = "the measured pose is held"


@dataclass(frozen=True, kw_only=True)
class InsertionResult:
    """Result of an insertion."""

    outcome: int
    """A value of refinery_msgs/Outcome."""
    message: str
    """Why it ended, beside what the diagnosis says; empty for a seated plug."""
    decision: GuardDecision
    """Why the guard stopped it; OK otherwise."""
    measured: Pose
    """Tool pose at the end, base frame."""
    offset: PlugOffset
    """Plug against socket, by the node's own estimate."""
    diagnosis: Diagnosis
    """Where the plug ended and what stood out."""
    duration_s: float
    """From the first to the last policy step, [s]."""
    ticks: int
    """Policy steps."""
    hole: HoleCentre | None = None
    """Where a seated plug felt the hole; None if it did not feel for it to the end."""


class Insertion:
    """Runs one episode of the policy against the robot.

    Args:
        node: Gets the timers; its clock paces them.
        runtime: The policy.
        topics: The robot.
        start: Accepted samples; the measured pose in them is commanded during the hand-over, and the socket estimate is
            the reference of the first ones of the run.
        grasp: How the plug sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`.
        handover_s: Duration of the hand-over, [s].
        command_rate_hz: Rate of interpolated targets, [Hz]; 0 for none.
        timeout_s: Give up after this time, [s]; 0 for the episode's length.
        feel: Let a seated plug feel for the walls of the hole before the end.
        on_tick: Called after policy steps, at most 50 times a second (for feedback).
        on_change: Called when the level of the guard changes, and at the end.
        ticks: Publishes every policy step with its inputs.
    """

    def __init__(
        self,
        node: LifecycleNode,
        runtime: PolicyRuntime,
        topics: RobotTopics,
        start: Inputs,
        *,
        handover_s: float,
        grasp: NDArray[np.float64],
        command_rate_hz: float,
        timeout_s: float,
        feel: bool = False,
        on_tick: Callable[[], None],
        on_change: Callable[[], None],
        ticks: TickPublisher,
    ) -> None:
        self._node = node
        self._runtime = runtime
        self._topics = topics
        self._measured = start.measured.pose()
        self._started: Pose | None = None
        self._wrench = start.wrench.wrench
        self._reference = start.estimate
        self._grasp, self._tool_from_plug = grasp, runtime.task.plug.tool_from_plug_at(grasp)
        self._estimate = start.estimate.pose()
        self._handover_ticks = int(np.ceil(handover_s / runtime.period_s))
        self._timeout_s = timeout_s
        self._feels = feel
        self._probe: CentringProbe | None = None
        self._hole: HoleCentre | None = None
        self._judged: tuple[PlugOffset, Diagnosis] | None = None
        self._on_tick, self._on_change, self._publisher = on_tick, on_change, ticks
        self._level = Level.OK
        self._feedback_ticks = max(1, round(1.0 / (_FEEDBACK_HZ * runtime.period_s)))
        self._phase = Phase.HANDOVER
        self._ticks = 0
        self._won = False
        self._recent_s: deque[float] = deque()
        self._first_s = self._last_s = self._tick_s = topics.now_s()
        self.ended = Future()
        """Completed with an :class:`InsertionResult`."""
        self._between = TargetInterpolator(runtime.period_s) if command_rate_hz > runtime.period_s**-1 else None
        topics.read_ahead(True)
        self._timers: list[Timer] = [node.create_timer(runtime.period_s, self._tick)]
        if self._between is not None:
            self._between.jump(self._measured)
            self._timers.append(node.create_timer(1.0 / command_rate_hz, self._command_between))
        topics.publish_target(self._measured)
        # No garbage collection between state and target during the few seconds of an insertion.
        gc.collect()
        gc.disable()

    @property
    def elapsed_s(self) -> float:
        """Time from the first to the last policy step, [s]."""
        return self._last_s - self._first_s

    @property
    def rate_hz(self) -> float:
        """Rate of policy steps over the last second, [Hz]; 0 before the second step."""
        steps = self._recent_s
        return (len(steps) - 1) / (steps[-1] - steps[0]) if len(steps) > 1 and steps[-1] > steps[0] else 0.0

    @property
    def ticks(self) -> int:
        """Policy steps so far."""
        return self._ticks

    def plug_offset(self) -> PlugOffset:
        """Plug against socket as the node sees them."""
        socket = self._estimate if self._runtime.socket is None else self._runtime.socket
        symmetry = self._runtime.part.symmetry
        return plug_offset(socket.batch(), self._measured.batch() @ self._tool_from_plug, symmetry)

    def stop(self, outcome: int, decision: GuardDecision) -> None:
        """End at once: hold the pose measured now. Does nothing after the end."""
        if self._phase is Phase.DONE:
            return
        # Since the last tick the arm has moved; holding the pose of that tick would pull it back. It is held only if a
        # defect prevents a new measurement.
        with contextlib.suppress(Exception):
            inputs = self._topics.inputs()
            if inputs is not None and self._runtime.guard.begin(inputs, self._runtime.socket).level is Level.OK:
                self._measured = inputs.measured.pose()
        self._end(outcome, decision.message, decision)

    def fail(self, error: Exception) -> None:
        """Complete :attr:`ended` with a defect, unless the insertion has ended."""
        if not self.ended.done():
            self.ended.set_exception(error)

    def _tick(self) -> None:
        if self._phase is Phase.DONE:
            return
        now_s = self._topics.now_s()
        late_s = max(0.0, now_s - self._tick_s - self._runtime.period_s)
        self._tick_s = now_s
        if self._phase is Phase.HANDOVER:
            self._hand_over(late_s)
        elif self._phase is Phase.RUN:
            self._run(self._inputs(), late_s)
        elif self._phase is Phase.SETTLE:
            self._settle()
        else:
            self._feel()

    def _hand_over(self, late_s: float) -> None:
        if self._handover_ticks > 0:
            self._handover_ticks -= 1
            self._topics.publish_target(self._measured)
            return
        inputs = self._inputs()
        decision = self._runtime.start(inputs, self._grasp, self._reference)
        if decision.level is not Level.OK:
            # The arm is handed over already: unlike a refusal before that, this is a stop, and it stays.
            self._runtime.guard.stop(decision.reason, decision.message)
            self._end(Outcome.STOPPED, decision.message, self._runtime.guard.latched)
            return
        self._phase = Phase.RUN
        self._first_s, self._started = inputs.now_s, inputs.measured.pose()
        # The same samples, as in training: the first observation is of an arm that has not moved since the reset.
        self._run(inputs, late_s)

    def _run(self, inputs: Inputs, late_s: float) -> None:
        result = self._runtime.tick(inputs, late_s=late_s)
        self._ticks, self._last_s = result.step, inputs.now_s
        self._recent_s.append(inputs.now_s)
        while inputs.now_s - self._recent_s[0] > _RATE_OVER_S:
            self._recent_s.popleft()
        if result.decision.level is Level.OK:
            self._measured = inputs.measured.pose()
            self._command(result.target, inputs.now_s)
        else:
            self._measured = result.target
            self._jump(result.target)
        self._publisher.publish(inputs, result, late_s)
        if result.step % self._feedback_ticks == 0:
            self._on_tick()
        level, before = result.decision.level, self._level
        self._level = level
        if level is Level.STOP:
            self._end(Outcome.STOPPED, result.decision.message, result.decision)
            return
        if level is not before:
            self._on_change()
        if self._timeout_s > 0 and self.elapsed_s + self._runtime.period_s > self._timeout_s and not result.done:
            self._end(Outcome.TIMED_OUT, f"not done after {self._timeout_s:.2f} s", GuardDecision())
        elif result.done:
            self._phase = Phase.SETTLE

    def _settle(self) -> None:
        """Evaluate success one period after the last target, as training does, and release the spring."""
        inputs, guard, socket = self._inputs(), self._runtime.guard, self._runtime.socket
        level = guard.begin(inputs, socket).level
        if level is Level.STOP or socket is None:
            self._end(Outcome.STOPPED, guard.decision.message, guard.decision)
            return
        if level is Level.HOLD:
            return
        self._measured = inputs.measured.pose()
        plug, symmetry = self._measured.batch() @ self._tool_from_plug, self._runtime.part.symmetry
        self._won, _ = seated(self._runtime.task, socket.batch(), plug, self._ticks, symmetry)
        if not self._won:
            self._end(Outcome.FAILED, "not seated", GuardDecision())
        elif not self._feels:
            self._end(Outcome.SUCCESS, "", GuardDecision())
        else:
            # What is reported is the plug as the policy left it.
            self._judged = self.plug_offset(), self._diagnosis()
            stiffness = self._runtime.task.control.stiffness[0]
            self._probe = CentringProbe(self._measured.batch(), socket.batch(), stiffness_n_m=stiffness)
            self._phase = Phase.FEEL
            self._push(inputs.now_s)

    def _feel(self) -> None:
        """Go on feeling for the walls; the insertion was a success, whatever becomes of that, unless the guard stops.

        A hold ends it: a wall that was not measured in time is not one to learn from.
        """
        inputs, guard = self._inputs(), self._runtime.guard
        level = guard.begin(inputs, self._runtime.socket).level
        if level is Level.STOP:
            self._end(Outcome.STOPPED, guard.decision.message, guard.decision)
        elif level is Level.HOLD:
            self._end(Outcome.SUCCESS, "", GuardDecision())
        else:
            self._measured = inputs.measured.pose()
            self._push(inputs.now_s)

    def _push(self, now_s: float) -> None:
        """Command the probe's next target within the guard's bounds, or end with what was found."""
        assert self._probe is not None
        plug, guard = self._measured.batch() @ self._tool_from_plug, self._runtime.guard
        target = self._probe.target(plug)
        if target is None:
            self._hole = self._probe.centre(plug)
            self._end(Outcome.SUCCESS, "", GuardDecision())
            return
        bounded = guard.command(Pose.of(target), self._runtime.socket)
        if guard.decision.level is Level.STOP:
            self._end(Outcome.STOPPED, guard.decision.message, guard.decision)
        else:
            self._command(bounded, now_s)

    def _inputs(self) -> Inputs:
        inputs = self._topics.inputs()
        if inputs is None:
            raise RuntimeError("an input that had messages has none")
        self._wrench = inputs.wrench.wrench
        return inputs

    def _end(self, outcome: int, message: str, decision: GuardDecision) -> None:
        self._phase = Phase.DONE
        # Every step runs, the last one first, whatever another raises: the arm must hold, the client must get a result.
        with contextlib.ExitStack() as steps:
            # After the hold was sent: the status must report a stop at once, not with the next periodic message.
            steps.callback(self._on_change)
            steps.callback(self._conclude, outcome, message, decision)
            steps.callback(self._topics.read_ahead, False)
            steps.callback(gc.enable)
            steps.callback(self._runtime.end)
            for timer in self._timers:
                steps.callback(self._node.destroy_timer, timer)
            steps.callback(self._topics.publish_target, self._measured)

    def _conclude(self, outcome: int, message: str, decision: GuardDecision) -> None:
        offset, diagnosis = self._judged or (self.plug_offset(), self._diagnosis())
        self.ended.set_result(
            InsertionResult(
                outcome=outcome,
                message=message,
                decision=decision,
                measured=self._measured,
                offset=offset,
                diagnosis=diagnosis,
                duration_s=self.elapsed_s,
                ticks=self._ticks,
                hole=self._hole,
            )
        )

    def _diagnosis(self) -> Diagnosis:
        socket = self._estimate if self._runtime.socket is None else self._runtime.socket
        started = None if self._started is None else self._started.batch() @ self._tool_from_plug
        return diagnose(
            self._runtime.task,
            self._runtime.part,
            socket=socket.batch(),
            plug=self._measured.batch() @ self._tool_from_plug,
            seated=self._won,
            wrench=self._wrench,
            start=started,
            grasp=self._grasp,
        )

    def _command(self, target: Pose, now_s: float) -> None:
        if self._between is None:
            self._topics.publish_target(target)
        else:
            self._between.aim(target, now_s)

    def _jump(self, pose: Pose) -> None:
        if self._between is not None:
            self._between.jump(pose)
        self._topics.publish_target(pose)

    def _command_between(self) -> None:
        if self._between is not None and self._phase in (Phase.RUN, Phase.SETTLE, Phase.FEEL):
            self._topics.publish_target(self._between.at(self._topics.now_s()))
